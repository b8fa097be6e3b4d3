"""Named queries: one `.sql` file each, the file's name is the query's name."""

from importlib.resources import files


def queries(package: str) -> dict[str, str]:
    """Return the queries in the folder `sql` of a package, by name."""
    return {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in (files(package) / "sql").iterdir()
        if file.name.endswith(".sql")
    }
