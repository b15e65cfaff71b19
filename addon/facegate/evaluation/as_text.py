"""The report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from facegate.evaluation.attacks import Attacks
from facegate.evaluation.discard import QualityFigures
from facegate.evaluation.instruments import Missing
from facegate.evaluation.masks import Masks
from facegate.evaluation.naming import Group, Naming
from facegate.evaluation.report import Report
from facegate.evaluation.statistics import Rate
from facegate.evaluation.verification import FALSE_MATCH_RATES, Verification

_GAP = "  "


def to_text(report: Report) -> str:
    """Return everything that was measured, a table a noun, the goals last."""
    lines = [f"FaceGate {report.version}, embeddings of {report.embedder}"]
    lines += table(
        ("set", "for", "pictures", "clips", "subjects"),
        [
            (s.name, str(s.purpose), str(s.pictures), str(s.clips), str(s.subjects or "-"))
            for s in report.sets
        ],
    )
    if report.false_faces.samples:
        lines.append(
            f"faces found where nobody is: in {report.false_faces.with_a_face} of"
            f" {report.false_faces.samples} samples"
        )
    for title, part in (
        ("Verification", report.verification),
        ("Open-set identification", report.naming),
        ("Quality", report.quality),
        ("Presentation attacks", report.attacks),
        ("Masks", report.masks),
    ):
        lines += ["", title, *_part(part)]
    return "\n".join(lines) + "\n"


def percent(rate: Rate) -> str:
    """Return a rate with its errors, trials and 95 % bounds, such as ``1.0% (1/100, 0.2-5.4)``."""
    if rate.value is None:
        return "-"
    return (
        f"{100 * rate.value:.1f}% ({rate.errors}/{rate.trials},"
        f" {100 * rate.low:.1f}-{100 * rate.high:.1f})"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return lines whose columns stand under each other."""
    every = [head, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(head))]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    ]


def _part(
    part: tuple[Verification, ...] | Naming | QualityFigures | Attacks | Masks | Missing,
) -> Iterator[str]:
    match part:
        case Missing():
            yield f"not measured: {part.reason}"
        case Naming():
            yield from _naming(part)
        case QualityFigures():
            yield from _quality(part)
        case Attacks():
            yield from _attacks(part)
        case Masks():
            yield from _masks(part)
        case _:
            yield from _verification(part)


def _verification(part: tuple[Verification, ...]) -> Iterator[str]:
    fmrs = [f"FNMR at FMR {fmr:g}" for fmr in FALSE_MATCH_RATES]
    rows = []
    for each in part:
        cells = [
            f"{percent(point.fnmr)} at {point.threshold:.3f}{'' if point.supported else ' *'}"
            for point in each.points
        ]
        cells += ["-"] * (len(FALSE_MATCH_RATES) - len(cells))
        highest = "-" if each.highest_impostor is None else f"{each.highest_impostor:.3f}"
        rows.append((each.scope, str(each.genuine), str(each.impostor), highest, *cells))
    yield from table(("scope", "genuine", "impostor", "highest impostor", *fmrs), rows)
    if any(not point.supported for each in part for point in each.points):
        yield "* too few impostor comparisons to support this FMR (rule of three: 3 / FMR)"


def _naming(part: Naming) -> Iterator[str]:
    rules = part.rules
    yield (
        f"gallery of {part.subjects} subjects with up to {rules.references} references,"
        f" {part.templates} templates; threshold {rules.threshold:.3f} ({rules.origin}), margin"
        f" {rules.min_margin:.2f}, {rules.min_probes} probes of a clip"
    )
    yield (
        f"{part.single_probe_tracks} of {part.tracks} searches are of single pictures: tracks of"
        " one probe, which the engine would not decide on"
    )
    yield from _groups(part.groups)
    yield from ("", "by pose", *_groups(part.by_pose)) if part.by_pose else ()
    yield from ("", "by note", *_groups(part.by_note)) if part.by_note else ()
    yield ""
    yield from table(
        ("goal", "limit", "found", "held"),
        [
            (g.name, f"{100 * g.limit:g}%", percent(g.found), "yes" if g.held else "NO")
            for g in part.goals
        ],
    )
    for goal in part.goals:
        if goal.change:
            yield f"to hold {goal.name}: {goal.change}"


def _groups(groups: Sequence[Group]) -> list[str]:
    return table(
        ("scope", "condition", "FNIR", "misnamed", "FPIR", "highest stranger"),
        [
            (
                group.scope,
                group.condition,
                percent(group.fnir),
                str(group.misnamed),
                percent(group.fpir),
                "-" if group.highest is None else f"{group.highest:.3f}",
            )
            for group in groups
        ],
    )


def _quality(part: QualityFigures) -> Iterator[str]:
    yield from table(
        ("condition", "median quality"),
        [(spread.condition, f"{spread.median:.2f}") for spread in part.spreads],
    )
    yield ""
    yield from table(
        ("worst discarded", "quality from", "FNIR of the rest"),
        [
            (f"{100 * each.share:.0f}%", f"{each.quality:.2f}", percent(each.fnir))
            for each in part.discards
        ],
    )


def _attacks(part: Attacks) -> Iterator[str]:
    for level in part.levels:
        yield (
            f"level {level.name} (limit {level.limit:g}): BPCER {percent(level.bpcer)},"
            f" BPNRR {percent(level.non_response)}"
        )
        for species in level.species:
            yield (
                f"{_GAP}{species.name}: APCER {percent(species.apcer)},"
                f" APNRR {percent(species.non_response)}"
            )
    yield from table(
        ("presentation", "label", "live"),
        [
            (each.sample, each.label, "no response" if each.live is None else f"{each.live:.3f}")
            for each in part.presented
        ],
    )


def _masks(part: Masks) -> Iterator[str]:
    yield from table(
        ("errors", "share"),
        [
            ("wrong of the faces found", percent(part.wrong)),
            ("mask not seen", percent(part.missed)),
            ("mask seen on a bare face", percent(part.invented)),
            ("masked face not found", percent(part.masked_not_found)),
            ("bare face not found", percent(part.bare_not_found)),
        ],
    )
