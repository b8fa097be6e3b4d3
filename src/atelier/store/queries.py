"""Named queries: one `.sql` file each, named after the query."""

from importlib.resources import files


def queries(package: str) -> dict[str, str]:
    """Return the queries in a package's folder `sql` by name."""
    return {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in (files(package) / "sql").iterdir()
        if file.name.endswith(".sql")
    }
