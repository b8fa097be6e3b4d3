"""The properties of exports from `atelier generate`."""

import csv
import hashlib
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from atelier.errors import AtelierError
from atelier.transfer.generator import generate
from atelier.transfer.generator.distributions import all_distributions
from atelier.transfer.progress import PlainProgress
from tests.support.waiting import wait_until

FILES = ["questions.csv", "answers.csv", "answers_photos.csv"]
FIRST_DATE, LAST_DATE = 1_514_764_800_000, 1_767_225_600_000  # 2018-01-01, 2026-01-01

COLUMN_TYPES = {
    "questions.csv": (float, float, str, float, str, str, float, float),
    "answers.csv": (float, float, str, float, str, str, float, float),
    "answers_photos.csv": (float, float, str),
}

Rows = list[dict[str, str]]


def make(folder: Path, *, products: int, seed: int = 1) -> Path:
    generate(folder, products=products, seed=seed, progress=PlainProgress(lambda _: None))
    return folder


def digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in FILES)).hexdigest()


def read(folder: Path, name: str) -> Rows:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("export"), products=20_000)


@pytest.fixture(scope="module")
def questions(export: Path) -> Rows:
    return read(export, "questions.csv")


@pytest.fixture(scope="module")
def answers(export: Path) -> Rows:
    return read(export, "answers.csv")


@pytest.fixture(scope="module")
def photos(export: Path) -> Rows:
    return read(export, "answers_photos.csv")


def test_the_same_seed_gives_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    # Pinned, so that figures measured on different days, machines and Pythons refer to the same
    # data. A change of vocabulary, sampling or block size changes it: then pin the new one.
    assert digest(make(tmp_path, products=5_000, seed=7)) == (
        "a37e7bd8a75cebd204cd0d6d98ddb0d645ae9f1f2eebf130441285e662b23c98"
    )


def test_the_same_seed_gives_the_same_bytes_again(tmp_path: Path) -> None:
    first, second = make(tmp_path / "1", products=100), make(tmp_path / "2", products=100)
    assert digest(first) == digest(second)


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    first = make(tmp_path / "1", products=100, seed=1)
    second = make(tmp_path / "2", products=100, seed=2)
    assert digest(first) != digest(second)


def test_the_headers_are_those_of_the_full_export(export: Path) -> None:
    headers = [(export / name).read_text("utf-8").split("\n", 1)[0] for name in FILES]
    assert headers == [
        "id,product_id,body,date_written,asker_name,asker_email,reported,helpful",
        "id,question_id,body,date_written,answerer_name,answerer_email,reported,helpful",
        "id,answer_id,url",
    ]


@pytest.mark.parametrize("name", FILES)
def test_strings_are_quoted_numbers_bare_and_lines_end_in_lf(export: Path, name: str) -> None:
    assert b"\r" not in (export / name).read_bytes()
    with (export / name).open(encoding="utf-8", newline="") as file:
        next(file)
        types = {tuple(map(type, row)) for row in csv.reader(file, quoting=csv.QUOTE_NONNUMERIC)}
    assert types == {COLUMN_TYPES[name]}


def test_ids_run_from_one_without_gaps(questions: Rows, answers: Rows, photos: Rows) -> None:
    for rows in (questions, answers, photos):
        assert [int(row["id"]) for row in rows] == list(range(1, len(rows) + 1))


def test_every_reference_is_to_a_row_that_exists(
    questions: Rows, answers: Rows, photos: Rows
) -> None:
    assert {int(question["product_id"]) for question in questions} <= set(range(1, 20_001))
    assert {row["question_id"] for row in answers} <= {row["id"] for row in questions}
    assert {row["answer_id"] for row in photos} <= {row["id"] for row in answers}


def test_answers_are_not_sorted_by_question(answers: Rows) -> None:
    order = [int(row["question_id"]) for row in answers]
    steps_back = sum(later < earlier for earlier, later in pairwise(order))
    assert 0.4 < steps_back / len(order) < 0.6


def test_dates_lie_in_the_fixed_years_and_answers_after_their_question(
    questions: Rows, answers: Rows
) -> None:
    asked = {row["id"]: int(row["date_written"]) for row in questions}
    assert all(FIRST_DATE <= date < LAST_DATE for date in asked.values())
    for row in answers:
        assert asked[row["question_id"]] < int(row["date_written"]) < LAST_DATE


def test_one_row_in_twenty_is_reported_and_few_are_very_helpful(
    questions: Rows, answers: Rows
) -> None:
    for rows in (questions, answers):
        assert {row["reported"] for row in rows} == {"0", "1"}
        assert mean(int(row["reported"]) for row in rows) == pytest.approx(0.05, rel=0.1)
        helpful = [int(row["helpful"]) for row in rows]
        assert min(helpful) == 0
        assert 1 < mean(helpful) < 5
        assert 20 < max(helpful) < 100


def test_the_ratios_are_those_of_the_full_export(
    questions: Rows, answers: Rows, photos: Rows
) -> None:
    assert len(questions) / 20_000 == pytest.approx(3.52, rel=0.04)
    assert len(answers) / len(questions) == pytest.approx(1.95, rel=0.02)
    assert len(photos) / len(answers) == pytest.approx(0.30, rel=0.02)


def test_the_larger_the_export_the_closer_the_ratios() -> None:
    distributions = all_distributions()
    assert mean(distributions.questions_of_product) == pytest.approx(
        3_518_963 / 1_000_011, rel=1e-3
    )
    assert mean(distributions.answers_of_question) == pytest.approx(6_879_306 / 3_518_963, rel=1e-3)
    assert mean(distributions.photos_of_answer) == pytest.approx(2_063_759 / 6_879_306, rel=1e-3)


def test_a_thousand_products_have_roughly_the_ratios_too(tmp_path: Path) -> None:
    sample = make(tmp_path, products=1_000)
    assert len(read(sample, "questions.csv")) == pytest.approx(3_520, rel=0.25)
    assert len(read(sample, "answers.csv")) == pytest.approx(6_870, rel=0.25)


def test_some_products_have_no_question_and_some_have_hundreds(questions: Rows) -> None:
    counts = Counter(row["product_id"] for row in questions)
    assert 0.1 < 1 - len(counts) / 20_000 < 0.4
    assert 200 < max(counts.values()) < 1_000


def test_some_questions_have_no_answer_and_some_have_dozens(questions: Rows, answers: Rows) -> None:
    counts = Counter(row["question_id"] for row in answers)
    assert 0.1 < 1 - len(counts) / len(questions) < 0.4
    assert 36 < max(counts.values()) < 100


def test_no_answer_has_more_photos_than_the_api_takes(photos: Rows) -> None:
    counts = Counter(row["answer_id"] for row in photos)
    assert set(counts.values()) == {1, 2, 3, 4, 5}
    urls = {row["url"] for row in photos}
    assert len(urls) == len(photos)
    assert all(url.startswith("https://") for url in urls)


def test_the_seller_answers_now_and_then(answers: Rows) -> None:
    assert 0.05 < mean(row["answerer_name"] == "Seller" for row in answers) < 0.10


def test_names_and_addresses_are_plausible_and_nobodys(questions: Rows, answers: Rows) -> None:
    people = {(row["asker_name"], row["asker_email"]) for row in questions}
    people |= {(row["answerer_name"], row["answerer_email"]) for row in answers}
    assert len(people) > 10_000
    for name, address in people:
        assert 1 <= len(name) <= 60
        assert re.fullmatch(r"[a-z0-9.]+@(shop\.)?example\.(com|net|org)", address)


def test_texts_are_varied_and_of_the_usual_length(questions: Rows, answers: Rows) -> None:
    for rows, shortest, longest in ((questions, 70, 100), (answers, 100, 150)):
        texts = [row["body"] for row in rows]
        assert shortest <= mean(map(len, texts)) <= longest
        assert max(map(len, texts)) <= 1_000
        assert len(set(texts)) > len(texts) / 3


@pytest.mark.parametrize("hard", [",", '"', "'", "\n", "é", "😊"])
def test_texts_contain_characters_that_are_hard_for_csv_readers(questions: Rows, hard: str) -> None:
    assert 0 < mean(hard in row["body"] for row in questions) < 0.5


def test_progress_counts_every_row(tmp_path: Path) -> None:
    lines: list[str] = []
    generate(tmp_path, products=1_000, seed=1, progress=PlainProgress(lines.append))
    assert f"{sum(len(read(tmp_path, name)) for name in FILES):,} rows" in lines[-1]


def test_existing_export_is_not_overwritten(tmp_path: Path) -> None:
    make(tmp_path, products=10)
    before = digest(tmp_path)
    with pytest.raises(AtelierError, match=r"already holds .*choose another folder"):
        make(tmp_path, products=20)
    assert digest(tmp_path) == before


@pytest.mark.parametrize("products", [0, -1])
def test_less_than_one_product_is_refused(tmp_path: Path, products: int) -> None:
    with pytest.raises(AtelierError, match="1 or more"):
        make(tmp_path / "new", products=products)
    assert not (tmp_path / "new").exists()


def test_uncreatable_folder_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AtelierError, match=r"^.*cannot be written.*choose another folder.*$"):
        make(tmp_path / "file" / "export", products=1)


def test_full_disk_is_a_one_line_error_and_leaves_no_file(tmp_path: Path) -> None:
    with limited_file_size(100_000), pytest.raises(AtelierError, match=r"^.*cannot be written.*$"):
        make(tmp_path, products=1_000)
    assert list(tmp_path.iterdir()) == []


def test_killed_run_leaves_only_partial_files_and_can_be_repeated(tmp_path: Path) -> None:
    kill_while_writing(tmp_path)
    assert not {path.name for path in tmp_path.iterdir()} & set(FILES)
    make(tmp_path, products=10)
    assert digest(tmp_path) == digest(make(tmp_path / "fresh", products=10))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == sorted(FILES)


def test_run_killed_between_renames_can_be_repeated(tmp_path: Path) -> None:
    kill_while_writing(tmp_path)
    (tmp_path / "answers.csv.partial").rename(tmp_path / "answers.csv")
    make(tmp_path, products=10)
    assert digest(tmp_path) == digest(make(tmp_path / "fresh", products=10))


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Make writes beyond `size` bytes per file fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def kill_while_writing(folder: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", GENERATE, folder])
    try:
        wait_until(lambda: any(path.stat().st_size for path in folder.iterdir()), "no file")
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


GENERATE = """
import sys
from pathlib import Path
from atelier.transfer.generator import generate
from atelier.transfer.progress import PlainProgress
generate(Path(sys.argv[1]), products=1_000_000, seed=1, progress=PlainProgress(lambda _: None))
"""
