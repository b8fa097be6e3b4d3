"""The folder of an export: finding its three files, and replacing them atomically.

New files are written beside the old ones, as `*.partial`. Once all three are on disk, one rename
(`questions.csv.partial` to `questions.csv.complete`) commits them: a process killed before it
leaves the old export; one killed after it leaves the new export, whose files the next command
that uses the folder moves into place.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from atelier.errors import AtelierError
from atelier.transfer.files.layout import ANSWERS, FILES, PHOTOS, QUESTIONS, ExportFile

_LOCK = "export.lock"
_COMPLETE = f"{QUESTIONS.name}.complete"


def find(folder: Path) -> dict[ExportFile, Path]:
    """Return the path of each file in a folder, compressed or not.

    Raises AtelierError if one is missing, or present both compressed and uncompressed.
    """
    if (folder / _COMPLETE).exists():
        with _file_errors(folder), _export_lock(folder):
            _move_into_place(folder)
    return {file: _find(folder, file) for file in FILES}


@contextmanager
def new_files(folder: Path, *, force: bool) -> Iterator[Mapping[ExportFile, BinaryIO]]:
    """Yield three files to write; on success move them into the folder (created if missing).

    Raises AtelierError if the folder cannot be written, if another export into it is running, or
    if it already holds an export and `force` is not set.
    """
    with _file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _export_lock(folder):
            _move_into_place(folder)
            _refuse_to_overwrite(folder, force=force)
            try:
                yield from _write_partial_files(folder)
            except BaseException:
                _remove_partial_files(folder)
                raise
            _move_into_place(folder)


def _find(folder: Path, file: ExportFile) -> Path:
    plain, compressed = folder / file.name, _compressed(folder, file)
    found = [path for path in (plain, compressed) if path.is_file()]
    if not found:
        raise AtelierError(
            f"{plain} is missing: give a folder that holds questions.csv, answers.csv and "
            "answers_photos.csv, each as it is or compressed with gzip (.csv.gz)."
        )
    if len(found) > 1:
        raise AtelierError(
            f"{folder} holds both {plain.name} and {compressed.name}: remove one of them."
        )
    return found[0]


def _compressed(folder: Path, file: ExportFile) -> Path:
    return folder / f"{file.name}.gz"


def _partial(folder: Path, file: ExportFile) -> Path:
    return folder / f"{file.name}.partial"


def _write_partial_files(folder: Path) -> Iterator[Mapping[ExportFile, BinaryIO]]:
    with ExitStack() as opened:
        files = {file: opened.enter_context(_partial(folder, file).open("wb")) for file in FILES}
        yield files
        for written in files.values():
            written.flush()
            os.fsync(written.fileno())
    _partial(folder, QUESTIONS).rename(folder / _COMPLETE)


def _move_into_place(folder: Path) -> None:
    """Move complete new files, if any, into place; some may have been moved already."""
    if (folder / _COMPLETE).exists():
        for file in (ANSWERS, PHOTOS):
            with suppress(FileNotFoundError):
                _partial(folder, file).replace(folder / file.name)
        (folder / _COMPLETE).replace(folder / QUESTIONS.name)
    _remove_partial_files(folder)


def _remove_partial_files(folder: Path) -> None:
    for file in FILES:
        _partial(folder, file).unlink(missing_ok=True)


def _refuse_to_overwrite(folder: Path, *, force: bool) -> None:
    existing = [file.name for file in FILES if (folder / file.name).exists()]
    if existing and not force:
        raise AtelierError(
            f"{folder} already holds {', '.join(existing)}: choose another folder, or overwrite "
            "with --force."
        )
    for file in FILES:
        if (path := _compressed(folder, file)).exists():
            raise AtelierError(
                f"{folder} already holds {path.name}, and a folder with both {file.name} and "
                f"{path.name} cannot be imported: choose another folder, or remove {path.name}."
            )


@contextmanager
def _export_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the lock file is removed at the end, even a stale one."""
    path = folder / _LOCK
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_current = path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))
        except BlockingIOError:
            is_current = False
        if not is_current:
            raise AtelierError(f"Another export into {folder} is running: wait for its end.")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def _file_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AtelierError(f"The export to {folder} failed: {error}.") from error
