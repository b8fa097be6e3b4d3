"""UTF-8 regardless of the locale: paths and texts contain non-ASCII characters."""

import io
import os
import sys


def use_utf8() -> None:
    """Switch this process and its children to UTF-8 mode, re-executing itself if necessary.

    Output that cannot be encoded, such as a path that is not UTF-8, is escaped.
    """
    os.environ["PYTHONUTF8"] = "1"
    if sys.getfilesystemencoding() != "utf-8":
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - itself
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
