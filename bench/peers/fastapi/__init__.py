"""FastAPI and SQLAlchemy's async ORM on three indexed tables: a common Python stack."""
