"""FastAPI and SQLAlchemy's async ORM on three indexed tables: the way of a Python team today."""
