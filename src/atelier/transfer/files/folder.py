"""The folder of an export: where its three files are, and how new ones take their places.

New files are written beside the old ones, as `*.partial`. Once all three are on the disk, one
rename (`questions.csv.partial` becomes `questions.csv.complete`) decides that they count: whoever
is killed before it leaves the old export, and whoever is killed after it leaves the new one, which
the next command that uses the folder puts in place.
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

    Raises AtelierError if one is missing, or is there twice.
    """
    if (folder / _COMPLETE).exists():
        with _file_errors(folder), _only_export(folder):
            _put_in_place(folder)
    return {file: _find(folder, file) for file in FILES}


@contextmanager
def new_files(folder: Path, *, force: bool) -> Iterator[Mapping[ExportFile, BinaryIO]]:
    """Yield three files to write, and put them into the folder (made if missing) if all went well.

    Raises AtelierError if the folder cannot be written, if another export into it is running, or
    if it holds an export already; with `force` that one is replaced.
    """
    with _file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _only_export(folder):
            _put_in_place(folder)
            _refuse_to_overwrite(folder, force=force)
            try:
                yield from _written(folder)
            except BaseException:
                _remove_partial_files(folder)
                raise
            _put_in_place(folder)


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


def _written(folder: Path) -> Iterator[Mapping[ExportFile, BinaryIO]]:
    with ExitStack() as opened:
        files = {file: opened.enter_context(_partial(folder, file).open("wb")) for file in FILES}
        yield files
        for written in files.values():
            written.flush()
            os.fsync(written.fileno())
    _partial(folder, QUESTIONS).rename(folder / _COMPLETE)


def _put_in_place(folder: Path) -> None:
    """Rename complete new files, if there are any; some of them may be in place already."""
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
    there = [file.name for file in FILES if (folder / file.name).exists()]
    if there and not force:
        raise AtelierError(
            f"{folder} already holds {', '.join(there)}: choose another folder, or overwrite "
            "with --force."
        )
    for file in FILES:
        if (path := _compressed(folder, file)).exists():
            raise AtelierError(
                f"{folder} already holds {path.name}, and a folder with both {file.name} and "
                f"{path.name} cannot be imported: choose another folder, or remove {path.name}."
            )


@contextmanager
def _only_export(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; its file is removed again, even that of a killed export."""
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
