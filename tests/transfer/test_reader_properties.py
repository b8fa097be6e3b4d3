"""Properties of the reader that hold for any bytes."""

import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from atelier.transfer.reader.buffer import BLOCK, LOOK_AHEAD
from tests.transfer.reading import HEADER, ROW, Result, read

SHORT_LOOK_AHEAD = 300  # longer than any record below

_numbers = st.sampled_from(
    [b"1", b"25", b"0", b"-3", b"007", b" 4", b'"6"', b"", b"x", b"9" * 15, b"9" * 16, b"9" * 20]
)
_texts = st.sampled_from(
    [
        b'"a"',
        b'""',
        b"",
        b"plain",
        b' "spaced" ',
        b'"two\nlines"',
        b'"two\r\nlines"',
        b'"a, b"',
        b'"a ""quote"""',
        b'"\xc3\xa9\xe2\x82\xac"',
        b'"\xff"',
        b'"\xc3',
        b'"nul \0"',
        b'"open',
        b'close"',
        b'"a"b',
        b'"',
        b"\r",
        b"\\.",
        b"\\N",
    ]
)
_dates = st.sampled_from(
    [b"1595884714409", b'"2018-10-18"', b"2020-02-29", b'"2019-02-29"', b"-5", b"never"]
)
_booleans = st.sampled_from([b"0", b"1", b"true", b"FALSE", b"2", b""])
_records = st.one_of(
    st.just(ROW.removesuffix(b"\n")),
    st.tuples(_numbers, _numbers, _texts, _dates, _texts, _texts, _booleans, _numbers).map(
        b",".join
    ),
    st.lists(_texts | _numbers, max_size=10).map(b",".join),
    st.binary(max_size=20),
)
_lines = st.tuples(_records, st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"])).map(b"".join)
_headers = st.sampled_from(
    [HEADER, HEADER.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + HEADER.replace(b",", b", ")]
)
_first_rows = st.sampled_from([ROW, ROW.replace(b"1595884714409", b'"2018-10-18"')])
_files = st.tuples(
    _headers, _first_rows, st.lists(_lines, max_size=12).map(b"".join), _records | st.just(b"")
)


def read_bytes(data: bytes, *, block: int = BLOCK, look_ahead: int = LOOK_AHEAD) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder), data, block=block, look_ahead=look_ahead)


def read_slowly(data: bytes) -> Result:
    """Read every record on the slow path, without prevalidation."""
    without_prevalidation = patch(
        "atelier.transfer.reader.prevalidation.RowPattern.end_of_valid_run",
        lambda _, __, start, ___: start,
    )
    with without_prevalidation:
        return read_bytes(data)


@settings(max_examples=400, deadline=None)
@given(_files)
@example((HEADER, ROW, b'1,1,"open\n', b'1,1,"a""\n",0,"n","e",0,1'))
def test_fast_and_slow_path_agree(parts: tuple[bytes, ...]) -> None:
    data = b"".join(parts)
    fast, slow = read_bytes(data), read_slowly(data)
    assert fast.rejects == slow.rejects
    assert fast.rows == slow.rows
    assert read_slowly(parts[0] + fast.csv).csv == slow.csv


@settings(max_examples=200, deadline=None)
@given(_files)
def test_block_size_makes_no_difference(parts: tuple[bytes, ...]) -> None:
    data = b"".join(parts)
    tiny = read_bytes(data, block=7, look_ahead=SHORT_LOOK_AHEAD)
    whole = read_bytes(data, look_ahead=SHORT_LOOK_AHEAD)
    assert (tiny.csv, tiny.rows, tiny.rejects) == (whole.csv, whole.rows, whole.rejects)


@settings(max_examples=400, deadline=None)
@given(_files)
@example((HEADER, ROW, b"\r"))
def test_every_byte_is_in_an_accepted_row_or_a_reject(parts: tuple[bytes, ...]) -> None:
    header, *body = parts
    data = b"".join(body)
    position, line = 0, 2
    for found_line, text in read_bytes(header + data).in_order:
        start = _after_line_ends(data, position)
        assert data.startswith(text, start)
        line += data.count(b"\n", position, start)
        assert found_line == line
        line += text.count(b"\n")
        position = start + len(text)
    assert _after_line_ends(data, position) == len(data)


def _after_line_ends(data: bytes, position: int) -> int:
    while data.startswith((b"\n", b"\r\n"), position):
        position = data.index(b"\n", position) + 1
    return len(data) if data[position:] == b"\r" else position
