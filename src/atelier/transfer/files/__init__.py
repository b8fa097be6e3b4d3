"""The files of an export, and the rejects file."""
