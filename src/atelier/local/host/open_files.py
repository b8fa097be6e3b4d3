"""How many files a process may have open: connections are files, too."""

import resource

_ENOUGH = 65_536
"""For everything here; some programs go through all that there may be, one by one."""


def raise_open_files() -> int:
    """Raise this process's soft limit of open files as far as it may be; return what it is then.

    Programs that are started later inherit it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower limit of its own
            return soft
        return wanted
    return _ENOUGH if soft == resource.RLIM_INFINITY else soft
