"""The name server that nginx asks for the addresses of instances."""

from pathlib import Path

from atelier.errors import AtelierError

_SYSTEM = Path("/etc/resolv.conf")


def name_server(choice: str, system: Path = _SYSTEM) -> str:
    """Return the address of a name server for nginx: `system` means the first of this machine."""
    if choice != "system":
        return choice
    for line in system.read_text().splitlines() if system.exists() else []:
        match line.split():
            case ["nameserver", address, *_]:
                return f"[{address}]" if ":" in address else address
    raise AtelierError(f"{system} names no name server: give its address as --resolver.")
