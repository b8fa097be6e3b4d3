"""docs/configuration.md tells every setting, and nothing else."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from atelier.settings import Settings

_PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"


class Asked(Mapping[str, str]):
    """An empty environment that notes what it is asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.names.append(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_page_lists_every_setting_with_its_default() -> None:
    asked = Asked()
    settings = Settings.from_environment(asked)
    defaults = [getattr(settings, name) for name in Settings.__dataclass_fields__]
    shown = ["none" if each is None else f"`{each}`" for each in defaults]
    shown[1] = f"`{settings.home.name}`"
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", _PAGE.read_text(), flags=re.MULTILINE)
    assert rows == list(zip(asked.names, shown, strict=True))
