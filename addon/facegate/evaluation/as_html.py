"""The report as one page with plots, which loads and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from facegate.evaluation.conditions import Condition
from facegate.evaluation.discard import QualityFigures
from facegate.evaluation.masks import Masks
from facegate.evaluation.naming import ALL, Naming, NamingCurve
from facegate.evaluation.page import card, cards, html_table, page
from facegate.evaluation.plots import Axis, Series, histograms, lines, rates, rounded
from facegate.evaluation.report import Report
from facegate.evaluation.sections import Section, Topic, mask_rates, sections
from facegate.evaluation.verification import Verification

_HEIGHTS = tuple(condition for condition in Condition if condition.height is not None)
_CHANGES = (Condition.AS_GIVEN, Condition.DARK, Condition.BLUR, Condition.MASK)


def to_html(report: Report) -> str:
    """Return the page of a report, the same for the same figures."""
    head = (
        f'<h1>FaceGate evaluation</h1><p class="soft">Version {escape(report.version)},'
        f" embeddings of {escape(report.embedder)}. Rates stand with errors, trials and 95 %"
        " bounds; these hold for independent trials, and few people make many dependent ones.</p>"
    )
    return page("FaceGate evaluation", [head, *(_part(report, s) for s in sections(report))])


def _part(report: Report, section: Section) -> str:
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    plots = list(_plots(report, section.topic))
    tables = [card(table.title, html_table(table.head, table.rows)) for table in section.tables]
    return f"<h2>{section.topic}</h2>{said}{cards(plots) if plots else ''}{''.join(tables)}"


def _plots(report: Report, topic: Topic) -> Iterator[str]:
    match topic:
        case Topic.NAMING if isinstance(report.naming, Naming):
            yield from _naming(report.naming)
        case Topic.VERIFICATION if isinstance(report.verification, tuple):
            yield from _verification(report.verification[0], _threshold(report))
        case Topic.QUALITY if isinstance(report.quality, QualityFigures):
            yield _discards(report.quality)
        case Topic.MASKS if isinstance(report.masks, Masks):
            plot = rates("Errors of the mask classifier", mask_rates(report.masks))
            yield card("Errors of the mask classifier", plot)
        case _:
            return


def _threshold(report: Report) -> float | None:
    return report.naming.rules.threshold if isinstance(report.naming, Naming) else None


def _naming(part: Naming) -> Iterator[str]:
    every = [(group.condition, group.fnir) for group in part.groups if group.scope == ALL]
    given = [(g.scope, g.fnir) for g in part.groups if g.condition == Condition.AS_GIVEN]
    curves = {curve.condition: curve for curve in part.curves}
    heights = [curves[each] for each in _HEIGHTS if each in curves]
    changes = [curves[each] for each in _CHANGES if each in curves]
    yield card("FNIR by condition", rates("FNIR by condition", every))
    yield card("FNIR by set, as given", rates("FNIR by set, as given", given))
    if heights:
        threshold = part.rules.threshold
        yield card("FNIR over the threshold by face height", _misses(heights, threshold))
        yield card("FNIR over FPIR by face height", _errors(heights, "h"))
    yield card("FNIR over FPIR by condition", _errors(changes, "s"))
    if curve := curves.get(Condition.AS_GIVEN):
        yield card("Errors over the threshold, as given", _tradeoff(curve, part.rules.threshold))


def _errors(curves: Sequence[NamingCurve], style: str) -> str:
    series = [
        Series(
            curve.condition,
            f"{style}{index}",
            [(point.false_positive, point.false_negative) for point in curve.points],
        )
        for index, curve in enumerate(curves, 1)
    ]
    return lines(
        "FNIR over FPIR", series, Axis("FPIR", 1e-3, 1, log=True), Axis("FNIR", 1e-3, 1, log=True)
    )


def _misses(curves: Sequence[NamingCurve], threshold: float) -> str:
    series = [
        Series(
            curve.condition,
            f"h{index}",
            [(point.threshold, point.false_negative) for point in curve.points],
        )
        for index, curve in enumerate(curves, 1)
    ]
    axes = Axis("threshold", 0.3, 0.8), Axis("FNIR", 0, 1)
    return lines("FNIR over the threshold by face height", series, *axes, threshold)


def _tradeoff(curve: NamingCurve, threshold: float) -> str:
    missed = [(point.threshold, point.false_negative) for point in curve.points]
    named = [(point.threshold, point.false_positive) for point in curve.points]
    return lines(
        "FNIR and FPIR over the threshold",
        [Series("FNIR", "s1", missed), Series("FPIR", "s2", named)],
        Axis("threshold", 0, 1),
        Axis("rate", 0, 1),
        threshold,
    )


def _verification(whole: Verification, threshold: float | None) -> Iterator[str]:
    shown = [
        (f"genuine ({whole.genuine})", "s1", whole.genuine_histogram),
        (f"impostor ({whole.impostor})", "s2", whole.impostor_histogram),
    ]
    title = "Genuine and impostor comparisons"
    yield card(title, histograms(title, shown, threshold))
    errors = [(point.false_positive, point.false_negative) for point in whole.curve]
    axes = Axis("FMR", 1e-4, 1, log=True), Axis("FNMR", 1e-3, 1, log=True)
    title = "Detection error tradeoff"
    yield card(title, lines(title, [Series("all sets", "s1", errors)], *axes))


def _discards(part: QualityFigures) -> str:
    points = [(each.share, each.fnir.value or 0.0) for each in part.discards]
    top = rounded(max((value for _, value in points), default=0.0))
    title = "Error versus discard"
    x = Axis("share discarded, lowest quality first", 0, 0.5)
    series = [Series("FNIR of the rest, all conditions together", "s1", points)]
    return card(title, lines(title, series, x, Axis("FNIR", 0, top)))
