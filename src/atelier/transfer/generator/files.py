"""The three files of a generated export, created all together or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from atelier.errors import AtelierError

QUESTIONS, ANSWERS, PHOTOS = "questions.csv", "answers.csv", "answers_photos.csv"

HEADERS = {
    PHOTOS: "id,answer_id,url",
    ANSWERS: "id,question_id,body,date_written,answerer_name,answerer_email,reported,helpful",
    QUESTIONS: "id,product_id,body,date_written,asker_name,asker_email,reported,helpful",
}
"""The header lines, in the order in which the files are renamed: questions.csv comes last."""


@contextmanager
def new_export(folder: Path) -> Iterator[dict[str, TextIO]]:
    """Yield the three open files by name, headers written; create the folder if missing.

    They are renamed from *.partial when the context succeeds, and removed when it fails. The
    leftovers of a killed run are overwritten. Raises AtelierError if the folder already holds
    one of the files or cannot be written.
    """
    partials = {folder / name: folder / f"{name}.partial" for name in HEADERS}
    try:
        _refuse_to_overwrite(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with _remove_on_failure(*partials.keys(), *partials.values()):
            with ExitStack() as stack:
                yield {
                    path.name: stack.enter_context(_create(partial, HEADERS[path.name]))
                    for path, partial in partials.items()
                }
            for path, partial in partials.items():
                partial.replace(path)
    except OSError as error:
        raise AtelierError(
            f"{folder} cannot be written ({error.strerror}): choose another folder, "
            "or free about 2 KB for each product."
        ) from error


def _refuse_to_overwrite(folder: Path) -> None:
    """Raise AtelierError if there is an export other than the leftovers of a killed run.

    A run killed between the renames leaves renamed files, but questions.csv still as *.partial.
    """
    killed = (folder / f"{QUESTIONS}.partial").exists() and not (folder / QUESTIONS).exists()
    for name in HEADERS:
        if (folder / name).exists() and not killed:
            raise AtelierError(f"{folder} already holds {name}: choose another folder.")


def _create(path: Path, header: str) -> TextIO:
    file = path.open("w", encoding="utf-8", newline="")
    file.write(f"{header}\n")
    return file


@contextmanager
def _remove_on_failure(*paths: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise
