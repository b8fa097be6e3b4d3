"""uvicorn with a constant response and no database: the upper limit on this machine."""
