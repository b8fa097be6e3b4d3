"""The limit of open files, which include connections."""

import resource

_SUFFICIENT = 65_536
"""Not more: some programs iterate over all possible file descriptors."""


def raise_open_files() -> int:
    """Raise this process's soft limit of open files as far as possible; return the new limit.

    Programs started later inherit it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _SUFFICIENT if hard == resource.RLIM_INFINITY else min(hard, _SUFFICIENT)
    if soft != resource.RLIM_INFINITY and soft < target:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        except (OSError, ValueError):  # macOS has an additional, lower limit
            return soft
        return target
    return _SUFFICIENT if soft == resource.RLIM_INFINITY else soft
