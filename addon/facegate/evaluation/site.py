"""``facegate evaluate --site``: asks a running engine how well it tells its people apart."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
import json
from pathlib import Path

from facegate.errors import InvalidError
from facegate.identity.report import SiteReport
from facegate.protocol import RECOGNITION_PATH, SUBJECTS_PATH, decode_body
from facegate.remote import connected


def add_site(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask a running engine instead of measuring folders."""
    parser.add_argument(
        "--site", action="store_true", help="tell how well a running engine's people are told apart"
    )
    parser.add_argument("--data", type=Path, help="with --site: the engine's data folder")
    parser.add_argument(
        "--url", default="http://127.0.0.1:8099", help="with --site: where the engine listens"
    )


async def read_site(data: Path | None, url: str) -> str:
    """Return the site report of the engine that runs at ``url`` with the folder ``data``, as text.

    Raises ``FaceGateError``.
    """
    if data is None:
        raise InvalidError("--site needs --data, the engine's data folder with its token")
    async with connected(data, url) as engine:
        report = decode_body(await engine.ask("GET", RECOGNITION_PATH), SiteReport)
        subjects = json.loads(await engine.ask("GET", SUBJECTS_PATH))["subjects"]
        names = {str(subject["id"]): str(subject["name"]) for subject in subjects}
    return "\n".join(lines(report, names)) + "\n"


def lines(report: SiteReport, names: Mapping[str, str]) -> Iterator[str]:
    """Yield a report line by line; ``names`` are those of subjects, by their ids."""
    site = report.threshold
    yield f"{site.subjects} people with {site.templates} references of {report.model_id}"
    yield f"threshold {site.threshold:.3f}, {_why(report)}"
    yield (
        f"a stranger is taken for somebody in {site.expected_fpir:.1e} of the tracks (at most"
        f" {site.fpir_bound:.1e}, with 95 % confidence): {report.false_accepts_a_year:.2f} times a"
        f" year (at most {report.false_accepts_a_year_bound:.2f}) where {report.strangers_a_day}"
        " come a day"
    )
    yield (
        f"calibrated on {report.calibration_pairs} pairs of {report.calibration_people} people:"
        f" counted down to a rate of {report.counted_fmr:.1e} a comparison, extrapolated below"
    )
    if not site.supported:
        yield "everybody needs a second credential to enter by a face"
    elif report.look_alikes:
        people = ", ".join(names.get(who, who) for who in report.look_alikes)
        yield f"look-alikes, who need a second credential to enter by a face: {people}"
    if report.compared < site.templates:
        yield f"what follows is of {report.compared} references"
    if report.nearest:
        yield f"nearest to each other (look-alikes from {report.look_alike_from:.3f}):"
    for pair in report.nearest:
        first, second = (names.get(who, who) for who in (pair.first, pair.second))
        yield f"  {pair.score:.3f}  {first} and {second}"
    if report.outliers:
        yield "references least like the others of the same person:"
    for outlier in report.outliers:
        who = names.get(outlier.subject_id, outlier.subject_id)
        yield f"  {outlier.score:.3f}  {who}, reference {outlier.template_id}"
    if report.other_models:
        people = ", ".join(names.get(who, who) for who in report.other_models)
        yield f"enrolled with another model, new photos are needed: {people}"


def _why(report: SiteReport) -> str:
    site = report.threshold
    if site.fixed:
        return "set by the manager"
    wanted = f"for at most {site.fpir:g} of strangers' tracks"
    return wanted if site.supported else f"which the calibration does not support {wanted}"
