"""What all commands share."""


def examples(*lines: str) -> str:
    """Return the end of a command's help: the examples, a line each."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
