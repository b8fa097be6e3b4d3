"""Generated exports of any size, reproducible byte for byte from a seed."""

from pathlib import Path

from atelier.errors import AtelierError
from atelier.transfer.generator.files import ANSWERS, PHOTOS, QUESTIONS, new_export
from atelier.transfer.generator.rows import blocks
from atelier.transfer.progress import Progress

ROWS_PER_PRODUCT = 12.46
"""Average number of rows in the three files together, for the progress bar."""


def generate(folder: Path, *, products: int, seed: int, progress: Progress) -> None:
    """Write questions.csv, answers.csv and answers_photos.csv in the format of the full export.

    `products` is the number of products, some of them without questions: 1,000,011 give the full
    export's 12.46 million rows (2 GB). The same `products` and `seed` give the same bytes on
    every machine. Raises AtelierError if `products` is not positive, or if the folder already
    holds an export or cannot be written; no file is left behind then.
    """
    if products < 1:
        raise AtelierError(f"{products} products make no export: ask for 1 or more.")
    expected = round(products * ROWS_PER_PRODUCT)
    with new_export(folder) as files, progress.task("generating", expected) as task:
        for block in blocks(products, seed):
            files[QUESTIONS].write(block.questions)
            files[ANSWERS].write(block.answers)
            files[PHOTOS].write(block.photos)
            task.advance(block.rows)
