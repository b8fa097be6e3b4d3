"""The error that every command prints as a single line."""


class AtelierError(Exception):
    """An error that the user can fix: the message is one line and says how."""
