"""Archives that nobody would pack are refused as a whole; lists are read as people save them."""

from __future__ import annotations

import io
import zipfile

import pytest

from facegate.errors import InvalidError
from facegate.importing import archive as limits
from facegate.importing.archive import Archive
from facegate.importing.listing import Row, read_rows
from facegate.protocol import MAX_PICTURE_BYTES

LIST = b"external_id,name\r\n1,Ann\r\n"


def packed(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files:
            archive.writestr(name, data, method)
    return file


def rows(data: bytes) -> list[Row]:
    with Archive(packed([("people.csv", data)])) as archive, archive.listing() as text:
        return list(read_rows(text))


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "b/../../a.jpg", "C:/a.jpg", "..\\a.jpg"])
def test_a_name_outside_of_the_archive_is_refused(name: str) -> None:
    with pytest.raises(InvalidError, match="not a name within a folder"):
        Archive(packed([("people.csv", LIST), (name, b"x")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused_however_its_accent_is_written() -> None:
    for second in ("\u00e9.jpg", "e\u0301.jpg"):
        with pytest.raises(InvalidError, match="twice"):
            Archive(packed([("people.csv", LIST), ("\u00e9.jpg", b"x"), (second, b"y")]))


def test_an_encrypted_file_is_refused() -> None:
    data = bytearray(packed([("people.csv", LIST)]).getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidError, match="encrypted"):
        Archive(io.BytesIO(bytes(data)))


def test_what_unpacks_to_far_too_much_is_refused() -> None:
    bomb = packed([("people.csv", LIST), ("a.png", bytes(4 * 1024**2))], zipfile.ZIP_DEFLATED)
    with pytest.raises(InvalidError, match="unpacks to far too much"):
        Archive(bomb)


def test_a_compression_that_needs_much_memory_is_refused() -> None:
    with pytest.raises(InvalidError, match="use deflate"):
        Archive(packed([("people.csv", LIST)], zipfile.ZIP_LZMA))


def test_too_many_files_and_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ENTRIES", 2)
    Archive(packed([("people.csv", LIST), ("a", b"")]))
    with pytest.raises(InvalidError, match="more than 2 files"):
        Archive(packed([("people.csv", LIST), ("a", b""), ("b", b"")]))
    monkeypatch.setattr(limits, "MAX_ARCHIVE_BYTES", 20)
    with pytest.raises(InvalidError, match="more than 20 bytes"):
        Archive(packed([("people.csv", LIST)]))


def test_a_photo_is_found_beside_the_list_and_only_up_to_its_size() -> None:
    large = bytes(MAX_PICTURE_BYTES + 1)
    files = [("top/people.csv", LIST), ("top/photos/e\u0301.jpg", b"x"), ("top/large.jpg", large)]
    with Archive(packed(files)) as archive:
        assert archive.photo("photos\\\u00e9.jpg") == b"x"
        with pytest.raises(InvalidError, match=f"more than {MAX_PICTURE_BYTES} bytes"):
            archive.photo("large.jpg")
        with pytest.raises(InvalidError, match=r"holds no 'people\.csv'|holds no 'other.jpg'"):
            archive.photo("other.jpg")


def test_a_damaged_photo_is_told() -> None:
    data = packed([("people.csv", LIST), ("a.jpg", b"photograph")]).getvalue()
    with (
        Archive(io.BytesIO(data.replace(b"photograph", b"autographs"))) as archive,
        pytest.raises(InvalidError, match="damaged"),
    ):
        archive.photo("a.jpg")


def test_there_must_be_one_list() -> None:
    for files in ([("a.jpg", b"x")], [("a/people.csv", LIST), ("b/people.csv", LIST)]):
        with pytest.raises(InvalidError, match=r"must hold one people\.csv"):
            Archive(packed(files))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [b",", b";"])
def test_a_list_is_read_with_either_separator_and_mark(mark: bytes, separator: bytes) -> None:
    lines = b'External_ID,name\r\n\r\n,\r\n1,"An\nn"\r\n2, Ben \r\n'.replace(b",", separator)
    assert rows(mark + lines) == [
        Row(4, {"external_id": "1", "name": "An\nn"}),
        Row(5, {"external_id": "2", "name": "Ben"}),
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "first row must name the columns"),
        (b"external_id\r\n", "first row must name the columns"),
        (b"external_id,name,color\r\n", "unknown column 'color'; known: external_id, name, kind"),
        (b"external_id,name,name\r\n", "the column name is there twice"),
        (b"external_id,name\r\n1,\xe9\r\n", "not UTF-8"),
        (b'external_id,name\r\n1,"Ann\r\n', "not a CSV file"),
        (b"external_id,name\r\n" + b"1,Ann\r\n" * 50_001, "more than 50000 rows"),
    ],
)
def test_a_list_that_is_none_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(InvalidError, match=told):
        rows(data)
