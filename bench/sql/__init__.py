"""The benchmark's SQL, by file name."""

from pathlib import Path

SQL = {file.stem: file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("*.sql")}
"""Every file's text by its name without `.sql`."""
