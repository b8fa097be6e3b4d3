"""Other versions of the code: the previous commit, and one with an additional migration."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from atelier.store import migrate

_ROOT = Path(__file__).parents[2]
_MIGRATIONS = Path("src/atelier/store/migrations")
_MAX_COMMITS = 10
NEXT = "99991231_01_next"
_FURTHER = """-- A step that a later version may take while this one serves
-- depends: {newest}

-- migrate: apply

ALTER TABLE questions ADD COLUMN language text;
CREATE INDEX questions_language ON questions (language) WHERE language IS NOT NULL;

-- migrate: rollback

ALTER TABLE questions DROP COLUMN language;
"""


def previous_code(folder: Path) -> tuple[Path, str]:
    """Unpack the previous commit's code; return its import path and a description.

    A commit that cannot be imported is skipped; without a git history, it is the current code.
    """
    for commit in _git("log", f"-{_MAX_COMMITS}", "--format=%h", "HEAD^").decode().split():
        code = folder / commit / "src"
        code.parent.mkdir(parents=True)
        # Not tarfile: its filter argument requires 3.11.4, and later versions warn without it.
        subprocess.run(["tar", "-xC", code.parent], input=_git("archive", commit), check=True)
        if _can_be_imported(code):
            return code, f"from commit {commit}"
    return _ROOT / "src", "from this code (the history is not here)"


def _can_be_imported(code: Path) -> bool:
    command = [sys.executable, "-P", "-c", "import atelier.http.server"]
    environment = os.environ | {"PYTHONPATH": str(code)}
    return not subprocess.run(command, check=False, capture_output=True, env=environment).returncode


def next_code(folder: Path) -> Path:
    """Copy the current code with an additional migration; return its import path."""
    for part in ("src", "contract"):
        shutil.copytree(_ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    text = _FURTHER.format(newest=max(migrate.names()))
    (folder / _MIGRATIONS / f"{NEXT}.sql").write_text(text)
    return folder / "src"


def _git(*arguments: str) -> bytes:
    """Return git's output for this checkout; empty without a repository or git."""
    git = shutil.which("git")
    if git is None or not (_ROOT / ".git").exists():
        return b""
    command = [git, "-c", f"safe.directory={_ROOT}", *arguments]
    return subprocess.run(command, cwd=_ROOT, check=False, capture_output=True).stdout
