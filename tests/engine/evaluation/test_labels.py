"""Labeled folders: what labels mean, and mistakes that are told with their row and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from facegate.errors import InvalidError, NotFoundError
from facegate.evaluation.labels import Purpose, read_set
from tests.engine.evaluation.made import sample, write_listing, write_set

PICTURE = b"not looked into here"


def refusal(folder: Path, purpose: Purpose | None = None) -> str:
    with pytest.raises(InvalidError) as raised:
        read_set(folder, purpose)
    return str(raised.value)


def test_a_label_names_one_subject() -> None:
    assert sample("ann").subjects == {"ann"}
    assert sample("ann").of_one == "ann"


def test_a_label_of_several_names_them_all_and_nobody_alone() -> None:
    assert sample("MULTI:ann+bea").subjects == {"ann", "bea"}
    assert sample("MULTI:ann+bea").of_one is None


@pytest.mark.parametrize(("label", "faceless"), [("UNKNOWN:many", False), ("NONE", True)])
def test_a_label_of_nobody_who_is_known_names_nobody(label: str, *, faceless: bool) -> None:
    assert sample(label).subjects == frozenset()
    assert sample(label).of_one is None
    assert sample(label).faceless is faceless


@pytest.mark.parametrize(
    ("labels", "purpose"),
    [
        (("ann", "MULTI:ann+bea", "UNKNOWN:crowd", "NONE"), Purpose.IDENTITY),
        (("live", "spoof_print", "spoof_screen"), Purpose.ATTACK),
        (("with_mask", "without_mask"), Purpose.MASK),
    ],
)
def test_labels_tell_what_a_set_is_for(
    tmp_path: Path, labels: tuple[str, ...], purpose: Purpose
) -> None:
    folder = write_set(tmp_path, [(f"{n}.jpg", label, PICTURE) for n, label in enumerate(labels)])
    assert read_set(folder).purpose is purpose


def test_samples_stand_in_the_order_of_the_listing_with_rows_and_notes(tmp_path: Path) -> None:
    folder = write_set(
        tmp_path, [("b.jpg", "ann", PICTURE), ("a/1.mp4", "bea", PICTURE)], "Smiling; left, outside"
    )
    first, second = read_set(folder).samples
    assert (first.path, first.row, first.is_clip) == (folder / "b.jpg", 2, False)
    assert (second.path, second.row, second.is_clip) == (folder / "a/1.mp4", 3, True)
    assert second.notes == ("smiling", "left", "outside")


def test_a_listing_that_a_spreadsheet_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    (tmp_path / "labels.csv").write_bytes("\ufeffpath,label\r\na.jpg, ann \r\n".encode())
    assert [each.label for each in read_set(tmp_path).samples] == ["ann"]


def test_a_folder_without_a_listing_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"labels\.csv: there is no such file; a labeled"):
        read_set(tmp_path)


def test_a_listing_without_its_columns_says_which(tmp_path: Path) -> None:
    write_listing(tmp_path, [("a.jpg", "ann")], ("file", "label"))
    assert "no column path in its first row; begin it with path,label" in refusal(tmp_path)


def test_an_empty_listing_is_refused(tmp_path: Path) -> None:
    write_listing(tmp_path, [])
    assert "no row; write one for each picture" in refusal(tmp_path)


def test_a_listing_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"path,label\n\xff\xfe,ann\n")
    assert "not a CSV in UTF-8" in refusal(tmp_path)


def test_a_file_that_is_not_the_labeled_one_is_told(tmp_path: Path) -> None:
    folder = write_set(tmp_path, [("a.jpg", "ann", PICTURE), ("b.jpg", "bea", PICTURE)])
    (folder / "b.jpg").write_bytes(b"another")
    told = refusal(folder)
    assert "row 3 (b.jpg): not the file that was labeled (sha256" in told
    assert "a.jpg" not in told


def test_a_row_without_a_sha256_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    write_listing(tmp_path, [("a.jpg", "ann", "", "")])
    assert len(read_set(tmp_path).samples) == 1


@pytest.mark.parametrize(
    ("path", "label", "told"),
    [
        ("gone.jpg", "ann", "row 2 (gone.jpg): No such file or directory: put the file there"),
        ("notes.txt", "ann", "row 2 (notes.txt): neither a picture nor a clip by its name"),
        ("../a.jpg", "ann", "row 2 (../a.jpg): the path leads out of the folder"),
        ("", "ann", "row 2 (no path): neither a picture nor a clip"),
        ("a.jpg", "", "row 2 (a.jpg): a label or a part of it is empty"),
        ("a.jpg", "MULTI:ann+", "row 2 (a.jpg): a label or a part of it is empty"),
    ],
)
def test_a_row_that_cannot_be_used_is_told(
    tmp_path: Path, path: str, label: str, told: str
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("a.jpg", "notes.txt", "../a.jpg"):
        (folder / name).write_bytes(PICTURE)
    write_listing(folder, [(path, label, "", "")])
    assert told in refusal(folder)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (("ann", "with_mask"), "row 3 (1.jpg): label 'with_mask' in an identity set: put it into"),
        (("live", "ann"), "row 3 (1.jpg): label 'ann' in an attack set: expected live or spoof_"),
        (("live", "spoof_"), "row 3 (1.jpg): label 'spoof_' in an attack set"),
        (("with_mask", "ann"), "row 3 (1.jpg): label 'ann' in a mask set: expected with_mask or"),
    ],
)
def test_a_label_that_does_not_fit_the_set_is_told(
    tmp_path: Path, labels: tuple[str, ...], told: str
) -> None:
    folder = write_set(tmp_path, [(f"{n}.jpg", label, PICTURE) for n, label in enumerate(labels)])
    assert told in refusal(folder)


def test_a_clip_is_no_picture_of_a_mask(tmp_path: Path) -> None:
    folder = write_set(tmp_path, [("a.mp4", "with_mask", PICTURE)])
    assert "row 2 (a.mp4): a clip in a mask set: take pictures out of it" in refusal(folder)


def test_what_a_set_is_for_can_be_told_against_its_labels(tmp_path: Path) -> None:
    folder = write_set(tmp_path, [("a.jpg", "ann", PICTURE)])
    assert "label 'ann' in a mask set" in refusal(folder, Purpose.MASK)


def test_all_mistakes_are_told_at_once_up_to_twenty(tmp_path: Path) -> None:
    write_listing(tmp_path, [(f"{n}.jpg", "ann", "", "") for n in range(25)])
    told = refusal(tmp_path)
    assert "row 2 (0.jpg)" in told
    assert "row 21 (19.jpg)" in told
    assert "row 22" not in told
    assert "and 5 more" in told
