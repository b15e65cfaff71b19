"""What a report says, in sentences and tables, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from facegate.evaluation.attacks import Attacks
from facegate.evaluation.discard import QualityFigures
from facegate.evaluation.goals import Goal
from facegate.evaluation.instruments import Missing
from facegate.evaluation.masks import Masks
from facegate.evaluation.naming import Group, Naming
from facegate.evaluation.report import Report
from facegate.evaluation.statistics import Rate
from facegate.evaluation.verification import FALSE_MATCH_RATES, Verification

HELD, NOT_HELD = "held", "not held"


class Topic(StrEnum):
    """What a section is about, in the order of a report."""

    GOALS = "Goals"
    SETS = "Sets"
    NAMING = "Open-set identification"
    VERIFICATION = "Verification"
    QUALITY = "Quality"
    ATTACKS = "Presentation attacks"
    MASKS = "Masks"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under a head, all of the same length; ``title`` may be empty."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A topic: sentences, then tables."""

    topic: Topic
    sentences: tuple[str, ...]
    tables: tuple[Table, ...] = ()


def sections(report: Report) -> tuple[Section, ...]:
    """Return everything that was measured, and what was not."""
    found = [_sets(report)]
    match report.naming:
        case Naming():
            found = [_goals(report.naming.goals), *found, _naming(report.naming)]
        case Missing(reason):
            found.append(_missing(Topic.NAMING, reason))
    match report.verification:
        case Missing(reason):
            found.append(_missing(Topic.VERIFICATION, reason))
        case part:
            found.append(_verification(part))
    match report.quality:
        case QualityFigures():
            found.append(_quality(report.quality))
        case Missing(reason):
            found.append(_missing(Topic.QUALITY, reason))
    match report.attacks:
        case Attacks():
            found.append(_attacks(report.attacks))
        case Missing(reason):
            found.append(_missing(Topic.ATTACKS, reason))
    match report.masks:
        case Masks():
            found.append(_masks(report.masks))
        case Missing(reason):
            found.append(_missing(Topic.MASKS, reason))
    return tuple(found)


def percent(rate: Rate) -> str:
    """Return a rate with its errors, trials and 95 % bounds: ``1.0% (1/100, 0.2-5.4)``."""
    if rate.value is None:
        return "-"
    return (
        f"{100 * rate.value:.1f}% ({rate.errors}/{rate.trials},"
        f" {100 * rate.low:.1f}-{100 * rate.high:.1f})"
    )


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _missing(topic: Topic, reason: str) -> Section:
    return Section(topic, (f"Not measured: {reason}",))


def _goals(goals: Sequence[Goal]) -> Section:
    rows = tuple(
        (
            goal.name,
            f"{100 * goal.limit:g}%",
            percent(goal.found),
            HELD if goal.held else NOT_HELD,
        )
        for goal in goals
    )
    changes = tuple(
        f"To hold the goal of {goal.name}: {goal.change}." for goal in goals if goal.change
    )
    return Section(Topic.GOALS, changes, (Table("", ("goal", "limit", "found", "held"), rows),))


def _sets(report: Report) -> Section:
    rows = tuple(
        (s.name, str(s.purpose), str(s.pictures), str(s.clips), str(s.subjects or "-"))
        for s in report.sets
    )
    false = report.false_faces
    told = (
        (f"A face was found in {false.with_a_face} of {false.samples} samples where nobody is.",)
        if false.samples
        else ()
    )
    head = ("set", "purpose", "pictures", "clips", "subjects")
    return Section(Topic.SETS, told, (Table("", head, rows),))


def _naming(part: Naming) -> Section:
    rules = part.rules
    sentences = (
        (
            f"A gallery of {part.subjects} subjects and {part.templates} templates, up to"
            f" {rules.references} a subject, never of the sample that is searched for. Threshold"
            f" {rules.threshold:.3f} ({rules.origin}), margin {rules.min_margin:.2f}, for clips"
            f" {rules.min_probes} probes."
        ),
        (
            f"The calibration expects FPIR {rules.expected_fpir:.1g} at that threshold."
            f" {part.single_probe_tracks} of {part.tracks} searches are of single pictures: tracks"
            " of one probe, on which the engine would not decide."
        ),
    )
    tables = (
        _groups("By set and condition", part.groups),
        _groups("By pose", part.by_pose),
        _groups("By note", part.by_note),
    )
    return Section(Topic.NAMING, sentences, tuple(table for table in tables if table.rows))


def _groups(title: str, groups: Sequence[Group]) -> Table:
    head = ("scope", "condition", "FNIR", "misnamed", "FPIR", "highest stranger")
    rows = tuple(
        (
            group.scope,
            group.condition,
            percent(group.fnir),
            str(group.misnamed),
            percent(group.fpir),
            _score(group.highest),
        )
        for group in groups
    )
    return Table(title, head, rows)


def _verification(part: Sequence[Verification]) -> Section:
    rows = []
    for each in part:
        cells = [
            f"{percent(point.fnmr)} at {point.threshold:.3f}{'' if point.supported else '*'}"
            for point in each.points
        ] or ["-"] * len(FALSE_MATCH_RATES)
        counts = (str(each.genuine), str(each.impostor), _score(each.highest_impostor))
        rows.append((each.scope, *counts, *cells))
    fmrs = tuple(f"FNMR at FMR {fmr:g}" for fmr in FALSE_MATCH_RATES)
    unsupported = any(not point.supported for each in part for point in each.points)
    told = "* Too few impostor comparisons to support this FMR: rule of three, 3 / FMR of them."
    head = ("scope", "genuine", "impostor", "highest impostor", *fmrs)
    return Section(
        Topic.VERIFICATION, (told,) if unsupported else (), (Table("", head, tuple(rows)),)
    )


def _quality(part: QualityFigures) -> Section:
    spreads = tuple((spread.condition, f"{spread.median:.2f}") for spread in part.spreads)
    discards = tuple(
        (f"{100 * each.share:.0f}%", f"{each.quality:.2f}", percent(each.fnir))
        for each in part.discards
    )
    return Section(
        Topic.QUALITY,
        (),
        (
            Table("Median quality", ("condition", "quality"), spreads),
            Table(
                "Error versus discard, all conditions together",
                ("worst discarded", "quality from", "FNIR of the rest"),
                discards,
            ),
        ),
    )


def _attacks(part: Attacks) -> Section:
    presented = tuple(
        (each.sample, each.label, "no response" if each.live is None else f"{each.live:.3f}")
        for each in part.presented
    )
    head = ("level", "limit", "presented", "wrong", "no response")
    return Section(
        Topic.ATTACKS,
        ("Wrong is BPCER for people, who are denied, and APCER for attacks, which pass.",),
        (
            Table("At the limits of the levels", head, tuple(_levels(part))),
            Table("Presentations", ("sample", "label", "live"), presented),
        ),
    )


def _levels(part: Attacks) -> Iterator[tuple[str, ...]]:
    for level in part.levels:
        own = level.name, f"{level.limit:g}"
        yield (*own, "people", f"BPCER {percent(level.bpcer)}", percent(level.non_response))
        for species in level.species:
            wrong = f"APCER {percent(species.apcer)}"
            yield (*own, species.name, wrong, percent(species.non_response))


def _masks(part: Masks) -> Section:
    rows = tuple((name, percent(rate)) for name, rate in mask_rates(part))
    return Section(Topic.MASKS, (), (Table("", ("error", "share"), rows),))


def mask_rates(part: Masks) -> tuple[tuple[str, Rate], ...]:
    """Return the errors of the mask classifier by name."""
    return (
        ("wrong, of the faces found", part.wrong),
        ("mask not seen", part.missed),
        ("mask on a bare face", part.invented),
        ("masked face not found", part.masked_not_found),
        ("bare face not found", part.bare_not_found),
    )
