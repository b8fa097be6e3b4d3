"""UTF-8 whatever the locale: paths and texts have other letters than LC_ALL=C knows."""

import io
import os
import sys


def use_utf8() -> None:
    """Have this process, begun anew if need be, and all it starts read and write UTF-8.

    What is not UTF-8 either, as a path may be, is shown with escapes.
    """
    os.environ["PYTHONUTF8"] = "1"
    if sys.getfilesystemencoding() != "utf-8":
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - itself
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
