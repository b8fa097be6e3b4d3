"""The files of an export, and the file of rejected rows."""
