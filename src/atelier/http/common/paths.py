"""The parts of the service, by path."""

_PAGES = ("/products", "/questions", "/demo")


def is_admin(path: str) -> bool:
    """Return whether a path belongs to the API that needs tokens."""
    return _is_below(path, "/admin")


def is_console(path: str) -> bool:
    """Return whether a path belongs to the console."""
    return _is_below(path, "/console")


def has_only_problems(path: str) -> bool:
    """Return whether errors of a path are problem documents, whatever the client accepts."""
    return is_admin(path) or _is_below(path, "/v1")


def is_page(path: str) -> bool:
    """Return whether a path belongs to the pages for browsers, whose errors are pages, too."""
    return path == "/" or any(_is_below(path, root) for root in _PAGES)


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
