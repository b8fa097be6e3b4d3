"""The progress display of long-running work."""

import io

from rich.console import Console

from atelier.transfer.progress import BarProgress, PlainProgress, progress_for


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_plain_lines_come_every_two_seconds_with_rate_and_time_left() -> None:
    lines: list[str] = []
    clock = Clock()
    with PlainProgress(lines.append, clock).task("questions.csv", 1000) as task:
        for _ in range(10):
            clock.seconds += 0.5
            task.advance(50)
    assert lines == [
        "questions.csv ...",
        "questions.csv: 200 rows, 100 rows/s, 8 s left",
        "questions.csv: 400 rows, 100 rows/s, 6 s left",
        "questions.csv: done in 5.0 s, 500 rows, 100 rows/s",
    ]


def test_remaining_time_follows_a_corrected_total() -> None:
    lines: list[str] = []
    clock = Clock()
    with PlainProgress(lines.append, clock).task("answers.csv") as task:
        task.set_total(400)
        clock.seconds += 2
        task.advance(100)
    assert lines[1] == "answers.csv: 100 rows, 50 rows/s, 6 s left"


def test_a_terminal_gets_bars_that_overlap_in_one_display() -> None:
    output = io.StringIO()
    progress = progress_for(Console(file=output, force_terminal=True, width=120))
    assert isinstance(progress, BarProgress)
    with progress.task("questions.csv", 20) as questions, progress.task("answers.csv") as answers:
        questions.advance(20)
        answers.set_total(40)
        answers.advance(30)
    shown = output.getvalue()
    assert "questions.csv" in shown
    assert "30/30" in shown


def test_a_pipe_gets_plain_lines() -> None:
    output = io.StringIO()
    progress = progress_for(Console(file=output, width=20))
    with progress.task("a label that is longer than the line", 5) as task:
        task.advance(5)
    assert output.getvalue().splitlines()[0] == "a label that is longer than the line ..."
