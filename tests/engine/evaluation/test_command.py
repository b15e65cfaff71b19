"""``facegate evaluate`` on a small set of real faces, from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
import io
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from facegate.__main__ import main
from facegate.evaluation.conditions import Condition, view_of
from tests.engine.clips import png, resident, resident_photos, write_clip
from tests.engine.evaluation.made import write_set
from tests.engine.face.real import astronaut, canvas, enlarged, hopper, one_face

SMALL_HOPPER = enlarged(hopper(), 0.5)


@dataclass(frozen=True)
class Run:
    status: int
    said: str
    complained: str


def evaluate(*arguments: str | Path) -> Run:
    said, complained = io.StringIO(), io.StringIO()
    umask = os.umask(0)
    try:
        with redirect_stdout(said), redirect_stderr(complained):
            status = main(["evaluate", *map(str, arguments)])
    finally:
        os.umask(umask)
    return Run(status, said.getvalue(), complained.getvalue())


def mirrored(image: np.ndarray[Any, Any]) -> bytes:
    return png(np.ascontiguousarray(image[:, ::-1]))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "people"
    clip = write_clip(folder.parent / "clip.mp4", resident()[:30]).read_bytes()
    both = canvas(1200, 700, (astronaut(), 0, 100), (SMALL_HOPPER, 800, 200))
    return write_set(
        folder,
        [
            ("collins.png", "collins", png(astronaut())),
            ("collins-mirrored.png", "collins", mirrored(astronaut())),
            ("hopper.png", "hopper", png(SMALL_HOPPER)),
            ("hopper-mirrored.png", "hopper", mirrored(SMALL_HOPPER)),
            ("resident.mp4", "resident", clip),
            ("resident.png", "resident", resident_photos()[0]),
            ("both.png", "MULTI:collins+hopper", png(both)),
            ("hall.png", "NONE", png(canvas(320, 240))),
        ],
    )


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    masked = view_of(astronaut(), one_face(astronaut()), Condition.MASK)
    assert masked is not None
    return write_set(
        tmp_path_factory.mktemp("small") / "masks",
        [
            ("1.png", "with_mask", png(masked.image)),
            ("2.png", "without_mask", png(astronaut())),
            ("3.png", "without_mask", png(canvas(320, 240))),
        ],
    )


@pytest.fixture(scope="module")
def attacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(
        tmp_path_factory.mktemp("small") / "attacks",
        [("1.png", "live", png(astronaut())), ("2.png", "spoof_print", png(hopper()))],
    )


@pytest.fixture(scope="module")
def run(people: Path, masks: Path, attacks: Path) -> Iterator[tuple[Run, Any]]:
    figures = people.parent / "figures.json"
    page = people.parent / "page.html"
    done = evaluate(people, masks, attacks, "--json", figures, "--html", page)
    yield done, json.loads(figures.read_text())
    assert page.read_text().startswith("<!doctype html>")


def test_it_ends_well_and_tells_everything_that_was_measured(run: tuple[Run, Any]) -> None:
    done, _ = run
    assert done.status == 0
    for topic in ("GOALS", "OPEN-SET IDENTIFICATION", "VERIFICATION", "QUALITY", "MASKS"):
        assert topic in done.said.splitlines()
    assert "people: 8 samples" in done.complained


def test_everybody_is_named_and_nobody_else(run: tuple[Run, Any]) -> None:
    _, figures = run
    groups = {(group["scope"], group["condition"]): group for group in figures["naming"]["groups"]}
    alone, together = groups["people", "as given"], groups["people (several)", "as given"]
    assert (alone["fnir"]["errors"], alone["fnir"]["trials"]) == (0, 6)
    assert (together["fnir"]["errors"], together["fnir"]["trials"]) == (0, 2)
    assert groups["all", "as given"]["fpir"]["errors"] == 0
    # Six samples of one, and two faces of the picture of both.
    assert groups["all", "as given"]["fpir"]["trials"] == 8
    assert figures["false_faces"] == {"samples": 1, "with_a_face": 0}


def test_a_clip_is_one_track_and_pictures_are_told_to_be_of_one_probe(
    run: tuple[Run, Any],
) -> None:
    _, figures = run
    naming = figures["naming"]
    assert naming["tracks"] - naming["single_probe_tracks"] == 2
    assert (naming["subjects"], naming["templates"]) == (3, 6)


def test_the_threshold_is_the_sites(run: tuple[Run, Any]) -> None:
    _, figures = run
    rules = figures["naming"]["rules"]
    assert rules["origin"] == "the site's for FPIR 0.0001"
    assert rules["expected_fpir"] <= 1e-4


def test_all_comparisons_of_the_samples_are_made(run: tuple[Run, Any]) -> None:
    _, figures = run
    (whole,) = figures["verification"]
    assert (whole["genuine"], whole["impostor"]) == (3, 12)


def test_masks_are_counted_by_kind(run: tuple[Run, Any]) -> None:
    _, figures = run
    assert figures["masks"]["masked_not_found"]["trials"] == 1
    assert figures["masks"]["bare_not_found"]["errors"] == 1
    assert figures["masks"]["invented"] == {
        "errors": 0, "trials": 1, "value": 0.0, "low": 0.0, "high": 1.0
    }  # fmt: skip


def test_a_model_that_is_missing_is_told_in_place_of_figures(run: tuple[Run, Any]) -> None:
    done, figures = run
    assert figures["attacks"]["reason"].startswith("model minifasnet-v2 is missing")
    assert "Not measured: model minifasnet-v2 is missing" in done.said


def test_the_same_samples_give_the_same_report(people: Path, tmp_path: Path) -> None:
    written = []
    for name in ("first", "second"):
        path = tmp_path / name
        assert evaluate(people, "--threshold", "0.5", "--html", path).status == 0
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_a_threshold_that_is_given_is_used(people: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    done = evaluate(people, "--threshold", "0.99", "--references", "1", "--json", path)
    naming = json.loads(path.read_text())["naming"]
    assert done.status == 0
    assert naming["rules"]["threshold"] == 0.99
    assert naming["templates"] == 3
    (given,) = [g for g in naming["groups"] if (g["scope"], g["condition"]) == ("all", "as given")]
    assert given["fnir"]["errors"] == 8
    assert "not held" in done.said


def test_goals_can_be_set_for_all_and_for_a_set(people: Path) -> None:
    done = evaluate(people, "--goal", "0.2", "--goal", "people=0.1")
    assert "10%" in done.said
    assert "20%" not in done.said.split("SETS", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "facegate: no labeled folder was named; `facegate evaluate --help`"),
        (("PEOPLE", "PEOPLE"), "facegate: people: two folders of this name"),
        (("NOWHERE",), "labels.csv: there is no such file; a labeled folder has one"),
        (("--mask", "PEOPLE"), "row 2 (collins.png): label 'collins' in a mask set: expected"),
        (("PEOPLE", "--goal", "people=much"), "facegate: --goal people=much: expected a share"),
        (("PEOPLE", "--goal", "crowd=0.1"), "facegate: --goal crowd=0.1: no set crowd was given"),
    ],
)
def test_what_cannot_be_evaluated_is_told(
    people: Path, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    places = {"PEOPLE": str(people), "NOWHERE": str(tmp_path / "nowhere")}
    done = evaluate(*(places.get(each, each) for each in arguments))
    assert done.status == 1
    assert told in done.complained
    assert done.said == ""


def test_a_report_that_cannot_be_written_is_told(masks: Path, tmp_path: Path) -> None:
    done = evaluate(masks, "--json", tmp_path / "nowhere" / "figures.json")
    assert done.status == 1
    assert "figures.json: cannot be written: No such file or directory" in done.complained


@pytest.mark.parametrize("wrong", [("--threshold", "2"), ("--references", "0"), ("--fpir", "0")])
def test_a_value_out_of_its_range_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit), redirect_stderr(io.StringIO()) as complained:
        main(["evaluate", *wrong])
    assert "expected" in complained.getvalue()


def test_the_help_tells_the_format() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "facegate", "evaluate", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for told in ("path,label,sha256,note", "MULTI:a+b", "UNKNOWN:anything", "NONE", "spoof_print"):
        assert told in done.stdout
