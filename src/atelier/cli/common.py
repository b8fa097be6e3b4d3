"""Shared by all commands."""


def examples(*lines: str) -> str:
    """Return a help epilog with examples, one per line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
