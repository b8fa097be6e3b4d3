"""uvicorn with a constant answer and no database: what the machine leaves for everything else."""
