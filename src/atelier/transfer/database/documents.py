"""The statement that builds documents and summaries, shared by the import and the verification."""

from atelier.store.queries import queries

BUILT_DOCUMENTS = queries("atelier.transfer.database")["built_documents"]
"""Selects the documents and summaries of the questions with ids from $1 to $2."""
