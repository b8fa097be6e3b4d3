"""The floor of the data path: the service's page statement alone, inside PostgreSQL."""

import re
from pathlib import Path

from atelier.store.queries import queries
from bench.data import Catalogue
from bench.processes import run

_CLIENTS = 8
_SPARE_SECONDS = 60


def write_script(folder: Path, pages: int) -> Path:
    """Write a pgbench script that reads pages of `pages` products with one query."""
    random = "".join(f"\\set p{n} random(1, :products)\n" for n in range(pages))
    products = ",".join(f":p{n}::bigint" for n in range(pages))
    arrays = (products, ",".join(["5"] * pages), ",".join(["0"] * pages))
    query = queries("atelier.store")["questions_page"]
    for number, array in enumerate(arrays, start=1):
        query = query.replace(f"${number}::bigint[]", f"ARRAY[{array}]::bigint[]")
    path = folder / f"pages-{pages}.sql"
    path.write_text(f"{random}{query.strip()};\n")
    return path


def command(programs: Path, script: Path, catalogue: Catalogue, seconds: int) -> list[str]:
    """Return the pgbench command."""
    return [
        *(str(programs / "pgbench"), "-n", "-M", "prepared", "-c", str(_CLIENTS), "-j", "2"),
        *("-T", str(seconds), "-D", f"products={catalogue.products}"),
        *("-f", str(script), catalogue.dsn),
    ]


def pages_per_second(command: list[str], pages: int, seconds: int) -> float:
    """Run pgbench; return the pages read per second."""
    environment = {
        "PGOPTIONS": "-c search_path=atelier -c plan_cache_mode=force_generic_plan",
        "LC_ALL": "C",
    }
    output = run(command, environment=environment, seconds=seconds + _SPARE_SECONDS)
    found = re.search(r"tps = ([\d.]+)", output)
    return pages * float(found[1]) if found else 0.0
