"""What the reader accepts and rejects, without a database."""

from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.transfer.files.layout import PHOTOS
from tests.transfer.reading import HEADER, ROW, photos, questions, read

GOOD = ROW.removesuffix(b"\n")
BOM = b"\xef\xbb\xbf"


def test_valid_file_is_passed_on_unchanged(tmp_path: Path) -> None:
    rows = ROW * 3 + b'4,9,"Two\r\nlines, a ""quote"" and \xc3\xa9",0,"","",1,0\n'
    result = read(tmp_path, HEADER + rows)
    assert result.csv == rows
    assert result.rejects == []


@pytest.mark.parametrize(
    "header",
    [
        b"id, product_id, body, date_written, asker_name, asker_email, reported, helpful\n",
        b'"id","product_id","body","date_written","asker_name","asker_email","reported","helpful"\n',
        b"ID,Product_ID,Body,DATE_WRITTEN,asker_name,asker_email,Reported,Helpful\n",
        BOM + HEADER,
        BOM + b'"id", "product_id",body,date_written,asker_name,asker_email,reported,helpful\n',
    ],
)
def test_header_variants_are_accepted(tmp_path: Path, header: bytes) -> None:
    result = read(tmp_path, header + ROW)
    assert result.csv == ROW
    assert result.rows[0].line == 2


def test_columns_may_be_in_any_order(tmp_path: Path) -> None:
    data = b'url,id,answer_id\n"https://a.example/1.jpg",7,5\n'
    result = read(tmp_path, data, PHOTOS)
    assert result.rejects == []
    assert [row.id for row in result.rows] == [7]


def test_unknown_column_is_ignored(tmp_path: Path) -> None:
    result = read(tmp_path, b'id,answer_id,url,width\n7,5,"u",12\n8, 5,"u","x ""y"""\n', PHOTOS)
    assert result.rejects == []
    assert [row.id for row in result.rows] == [7, 8]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"id,url\n", "no column answer_id"),
        (b"", "empty"),
        (b"id,id,answer_id,url\n", "id is there twice"),
        (b'id,"answer_id\n', "unterminated quote"),
    ],
)
def test_invalid_header_is_reported(tmp_path: Path, header: bytes, message: str) -> None:
    with pytest.raises(AtelierError, match=message):
        read(tmp_path, header, PHOTOS)


def test_crlf_line_ends_are_accepted(tmp_path: Path) -> None:
    data = (HEADER + ROW + ROW).replace(b"\n", b"\r\n")
    result = read(tmp_path, data)
    assert result.csv == data.removeprefix(HEADER.replace(b"\n", b"\r\n"))
    assert [row.text for row in result.rows] == [GOOD, GOOD]


def test_line_ends_may_be_mixed(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + ROW + GOOD + b"\r\n" + GOOD)
    assert result.csv == ROW * 3
    assert [row.line for row in result.rows] == [2, 3, 4]


def test_blank_lines_are_not_data_rows(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + b"\n" + ROW + b"\r\n\n" + ROW + b"\n")
    assert [row.line for row in result.rows] == [3, 6]
    assert result.rejects == []


def test_file_may_have_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER).in_order == []
    assert read(tmp_path, HEADER.removesuffix(b"\n")).in_order == []


@pytest.mark.parametrize(
    ("date", "canonical"),
    [
        (b'"2018-10-18"', b"2018-10-18T00:00:00.000+00:00"),
        (b"2018-10-18", b"2018-10-18T00:00:00.000+00:00"),
        (b'"2018-10-18T10:11:12Z"', b"2018-10-18T10:11:12.000+00:00"),
        (b'"2018-10-18 10:11:12.5"', b"2018-10-18T10:11:12.500+00:00"),
        (b'"2018-10-18T10:11:12.123000+02:00"', b"2018-10-18T08:11:12.123+00:00"),
        (b'"2020-02-29"', b"2020-02-29T00:00:00.000+00:00"),
        (b"1539820800000", b"2018-10-18T00:00:00.000+00:00"),
        (b'"0001-01-01"', b"0001-01-01T00:00:00.000+00:00"),
        (b'"9999-12-31"', b"9999-12-31T00:00:00.000+00:00"),
    ],
)
def test_dates_of_the_older_edition_are_read(
    tmp_path: Path, date: bytes, canonical: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _disable_fast_path(monkeypatch)
    first = b'1,1,"a","2018-10-18","n","e",0,1'
    result = read(tmp_path, questions(first, first.replace(b'"2018-10-18"', date)))
    assert result.rejects == []
    assert result.csv.splitlines()[1] == b'1,1,"a",' + canonical + b',"n","e",0,1'


@pytest.mark.parametrize(
    ("date", "milliseconds"),
    [
        (b"0", b"0"),
        (b"-1", b"-1"),
        (b"007", b"7"),
        (b'"1595884714409"', b"1595884714409"),
        (b'"2018-10-18"', b"1539820800000"),
        (b'"1969-12-31T23:59:59.999Z"', b"-1"),
        (b"253402300799999", b"253402300799999"),
        (b"-62135596800000", b"-62135596800000"),
    ],
)
def test_date_formats_may_be_mixed_in_one_file(
    tmp_path: Path, date: bytes, milliseconds: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _disable_fast_path(monkeypatch)
    result = read(tmp_path, HEADER + ROW + ROW.replace(b"1595884714409", date))
    assert result.rejects == []
    assert result.csv.splitlines()[1].split(b",")[3] == milliseconds


def test_all_values_may_be_quoted(tmp_path: Path) -> None:
    row = b'"1","1","a","1595884714409","n","e","0","1"\n'
    result = read(tmp_path, HEADER + row)
    assert result.csv == row, "prevalidation uses the detected dialect"
    assert result.rows[0].id == 1


def test_texts_may_be_unquoted(tmp_path: Path) -> None:
    row = b"1,1,What? No \\. quotes,1595884714409, spaced name ,,false,1\n"
    result = read(tmp_path, HEADER + row)
    assert result.rejects == []
    assert b" spaced name " in result.csv


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'1,1,"a",5,"n","e",0', "wrong number of fields"),
        (b'1,1,"a",5,"n","e",0,1,2', "wrong number of fields"),
        (b" ", "wrong number of fields"),
        (b'1,1,"two\nlines",5', "wrong number of fields"),
        (b'1,1,"\xff",5,"n","e",0,1', "invalid UTF-8"),
        (b'1,1,"\xed\xa0\x80",5,"n","e",0,1', "invalid UTF-8"),
        (b'1,1,"a\0",5,"n","e",0,1', "NUL byte"),
        (b'x,1,"a",5,"n","e",0,1', "invalid id"),
        (b',1,"a",5,"n","e",0,1', "invalid id"),
        (b'0,1,"a",5,"n","e",0,1', "invalid id"),
        (b'-1,1,"a",5,"n","e",0,1', "invalid id"),
        (b'1.5,1,"a",5,"n","e",0,1', "invalid id"),
        (b'9007199254740992,1,"a",5,"n","e",0,1', "invalid id"),
        (b'1,9223372036854775808,"a",5,"n","e",0,1', "invalid id"),
        (b"1," + b"9" * 5000 + b',"a",5,"n","e",0,1', "invalid id"),
        (b'1,null,"a",5,"n","e",0,1', "invalid id"),
        (b'1,1,"a",yesterday,"n","e",0,1', "unparseable date"),
        (b'1,1,"a",,"n","e",0,1', "unparseable date"),
        (b'1,1,"a","2019-02-29","n","e",0,1', "unparseable date"),
        (b'1,1,"a","2019-13-01","n","e",0,1', "unparseable date"),
        (b'1,1,"a","01/02/2019","n","e",0,1', "unparseable date"),
        (b'1,1,"a","2019-01-01T00:00:00.0001","n","e",0,1', "unparseable date"),
        (b'1,1,"a",253402300800000,"n","e",0,1', "unparseable date"),
        (b'1,1,"a",5,"n","e",maybe,1', "unknown boolean"),
        (b'1,1,"a",5,"n","e",,1', "unknown boolean"),
        (b'1,1,"a",5,"n","e",2,1', "unknown boolean"),
        (b'1,1,"a",5,"n","e",0,-1', "negative helpfulness"),
        (b'1,1,"a",5,"n","e",0,many', "invalid helpfulness"),
        (b'1,1,"a",5,"n","e",0,2147483648', "invalid helpfulness"),
        (b'1,1,"' + b"a" * 65537 + b'",5,"n","e",0,1', "field over 64 KiB"),
        (b'1,1,"' + b'""' * 65537 + b'",5,"n","e",0,1', "field over 64 KiB"),
        (b'1,1,"a"b,5,"n","e",0,1', "malformed quotes"),
        (b'1,1,a"b,5,"n","e",0,1', "malformed quotes"),
        (b'1,1,a\rb,5,"n","e",0,1', "malformed quotes"),
        (b'1,1,"a,5,"n","e",0,1', "malformed quotes"),
        (b'1,1,"a",5,"n","e,0,1', "malformed quotes"),
    ],
)
def test_invalid_row_is_rejected_alone(tmp_path: Path, row: bytes, reason: str) -> None:
    result = read(tmp_path, HEADER + ROW + row + b"\n" + ROW + ROW)
    assert result.reasons == [(3, reason)]
    assert result.rejects[0].text == row
    assert result.csv == ROW * 3


@pytest.mark.parametrize(
    "row",
    [
        b'9007199254740991,9223372036854775807,"a",5,"n","e",0,2147483647',
        b'1,1,"' + b"a" * 65536 + b'",5,"n","e",TRUE,1',
        b'1,1,"' + b'""' * 65536 + b'",5,"n","e",False,1',
        b'+1, 2 , "a" ,5, "n","e" , 1 , 007',
        b"1,1," + b"a" * 65536 + b",5,,,0,1",
    ],
)
def test_a_row_at_the_limits_is_accepted(tmp_path: Path, row: bytes) -> None:
    result = read(tmp_path, HEADER + ROW + row + b"\n" + ROW)
    assert result.rejects == []
    assert [text for _, text in result.in_order] == [GOOD, row, GOOD]


UNTERMINATED = b'2,1,"never closed'


def test_unterminated_quote_on_the_last_line_rejects_that_line(tmp_path: Path) -> None:
    for end in (b"", b"\n", b"\n\n"):
        result = read(tmp_path, HEADER + ROW + UNTERMINATED + end)
        assert result.reasons == [(3, "unterminated quote")]
        assert result.csv == ROW


def test_unterminated_quote_on_the_first_line_rejects_that_line(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + UNTERMINATED + b"\n" + ROW * 5)
    assert result.reasons == [(2, "malformed quotes")]
    assert result.csv == ROW * 5


def test_unterminated_quote_before_unquoted_rows_rejects_one_line(tmp_path: Path) -> None:
    rows = b"3,1,u\n" * 200_000
    result = read(tmp_path, b"id,answer_id,url\n" + UNTERMINATED + b"\n" + rows, PHOTOS)
    assert result.reasons == [(2, "unterminated quote")]
    assert result.csv == rows


def test_many_unterminated_quotes_reject_one_line_each(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + (ROW + UNTERMINATED + b"\n" + ROW) * 50)
    assert [line for line, _ in result.reasons] == list(range(3, 152, 3))
    assert result.csv == ROW * 100


def test_accidentally_paired_quotes_are_rejected_with_their_text(tmp_path: Path) -> None:
    pair = b'2,1,"opened here\n3,1,closed here",5'
    result = read(tmp_path, HEADER + ROW + pair + b"\n" + ROW)
    assert result.reasons == [(3, "wrong number of fields")]
    assert result.rejects[0].text == pair
    assert [row.line for row in result.rows] == [2, 5]


@pytest.mark.parametrize(
    "line",
    [
        b'1,1,"""a',
        b'"',
        b'"""',
        b'1,",2',
        b'","',
        b'1,"' + b'""' * 50,
        b'a"',
        b"\xff",
        b"\0",
        b'1,1,"a',
        b'1,1,"' + b"x" * 70_000,
    ],
)
def test_any_number_of_broken_lines_is_rejected(tmp_path: Path, line: bytes) -> None:
    number = 2_000_000 // (len(line) + 40)
    data = b"id,answer_id,url\n" + (line + b"\n") * number
    result = read(tmp_path, data, PHOTOS)
    assert result.rows == []
    assert b"\n".join(text for _, text in result.in_order) == data.split(b"\n", 1)[1].rstrip()


def test_very_long_line_is_one_reject(tmp_path: Path) -> None:
    line = b"x" * 3_000_000
    result = read(tmp_path, photos(b'1,1,"u"', line, b'2,1,"u"'), PHOTOS, block=1 << 16)
    assert result.reasons == [(3, "field over 64 KiB")]
    assert result.rejects[0].text == line
    assert [row.line for row in result.rows] == [2, 4]


def _disable_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "atelier.transfer.reader.prevalidation.RowPattern.end_of_valid_run",
        lambda _, __, start, ___: start,
    )
