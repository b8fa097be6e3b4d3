"""The one error every command shows as a single line."""


class AtelierError(Exception):
    """Something the user can put right: the message is one line and says what to do."""
