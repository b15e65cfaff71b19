"""Plots as inline SVG: no scripts, no fonts, colors by the page's style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
import math

from facegate.evaluation.statistics import Histogram, Rate

_WIDTH, _HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 16, 44
_ROW = 24
_NAMES = 170


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, from ``low`` to ``high``; what lies beyond is drawn at its end.

    With ``log`` powers of ten are evenly spaced, and 0 is drawn at ``low``.
    """

    title: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at ``low`` and 1 at ``high``."""
        inside = min(max(value, self.low), self.high)
        if self.log:
            return math.log(inside / self.low) / math.log(self.high / self.low)
        return (inside - self.low) / (self.high - self.low)

    def shows(self, value: float) -> bool:
        """Whether a line has a point there; on a logarithmic axis each has, at the ends."""
        return self.log or self.low <= value <= self.high

    def ticks(self) -> list[tuple[float, str]]:
        """Return values and their labels."""
        if not self.log:
            steps = [self.low + (self.high - self.low) * part / 5 for part in range(6)]
            return [(value, f"{value:.3g}") for value in steps]
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        powers = [(10.0**power, f"{10.0**power:g}") for power in range(first, last + 1)]
        return [(self.low, f"≤{self.low:g}"), *powers[1:]]


@dataclass(frozen=True, slots=True)
class Series:
    """A line through points (x, y); ``style`` is its class in the style sheet."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


def lines(title: str, series: Sequence[Series], x: Axis, y: Axis, mark: float | None = None) -> str:
    """Return a line plot; ``mark`` is a value of x to which a line is drawn."""
    body = [_grid(x, y)]
    if mark is not None:
        body.append(_mark(x, mark))
    for each in series:
        path = " ".join(
            f"{_x(x, across):.1f},{_y(y, up):.1f}" for across, up in each.points if x.shows(across)
        )
        body.append(
            f'<polyline class="line {each.style}" points="{path}">'
            f"<title>{escape(each.name)}</title></polyline>"
        )
    return _figure(title, series, body)


def histograms(title: str, series: Sequence[tuple[str, str, Histogram]], mark: float | None) -> str:
    """Return histograms over each other, each (name, style, counts) as shares of its own total.

    Their edges are the same; ``mark`` is a value to which a line is drawn.
    """
    edges = series[0][2].edges
    shares = [[count / max(1, sum(each.counts)) for count in each.counts] for _, _, each in series]
    x = Axis("cosine", edges[0], edges[-1])
    y = Axis("share", 0, max(max(each) for each in shares) or 1)
    body = [_grid(x, y)] if mark is None else [_grid(x, y), _mark(x, mark)]
    for (name, style, each), heights in zip(series, shares, strict=True):
        points = [(edges[0], 0.0)]
        for index, height in enumerate(heights):
            points += [(each.edges[index], height), (each.edges[index + 1], height)]
        points.append((edges[-1], 0.0))
        path = " ".join(f"{_x(x, across):.1f},{_y(y, up):.1f}" for across, up in points)
        body.append(
            f'<polygon class="area {style}" points="{path}"><title>{escape(name)}</title></polygon>'
        )
    return _figure(title, [Series(name, style, ()) for name, style, _ in series], body)


def rates(title: str, rows: Iterable[tuple[str, Rate]]) -> str:
    """Return rates as dots with their 95 % bounds, a row each, on a scale from 0 up."""
    measured = [(name, rate) for name, rate in rows if rate.value is not None]
    high = rounded(max((rate.high for _, rate in measured), default=0.0))
    height = _ROW * len(measured) + _BOTTOM + _TOP
    span = _WIDTH - _NAMES - _RIGHT

    def across(value: float) -> float:
        return _NAMES + span * min(value, high) / high

    body = []
    for part in range(6):
        value = high * part / 5
        body.append(
            f'<line class="grid" x1="{across(value):.1f}" x2="{across(value):.1f}" y1="{_TOP}"'
            f' y2="{height - _BOTTOM}"/><text class="tick" text-anchor="middle"'
            f' x="{across(value):.1f}" y="{height - _BOTTOM + 16}">{100 * value:g}%</text>'
        )
    for index, (name, rate) in enumerate(measured):
        middle = _TOP + _ROW * (index + 0.5)
        told = f"{name}: {rate.errors} of {rate.trials}"
        body.append(
            f'<text class="name" x="{_NAMES - 10}" y="{middle + 4}" text-anchor="end">'
            f'{escape(name)}</text><line class="bounds" x1="{across(rate.low):.1f}"'
            f' x2="{across(rate.high):.1f}" y1="{middle}" y2="{middle}"/>'
            f'<circle class="dot" cx="{across(rate.value or 0):.1f}" cy="{middle}" r="4.5">'
            f"<title>{escape(told)}</title></circle>"
        )
    return _svg(title, height, body)


def rounded(share: float) -> float:
    """Return the end of an axis that shows a share (0..1) and has five even parts."""
    return next(end for end in (0.05, 0.1, 0.25, 0.5, 1.0) if share <= end)


def _figure(title: str, series: Sequence[Series], body: Sequence[str]) -> str:
    keys = "".join(
        f'<li><span class="key {each.style}"></span>{escape(each.name)}</li>' for each in series
    )
    return f'{_svg(title, _HEIGHT, body)}<ul class="legend">{keys}</ul>'


def _svg(title: str, height: int, body: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(body)}</svg>"
    )


def _x(axis: Axis, value: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * axis.place(value)


def _y(axis: Axis, value: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - axis.place(value))


def _grid(x: Axis, y: Axis) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for value, label in x.ticks():
        at = _x(x, value)
        parts.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>'
            f'<text class="tick" text-anchor="middle" x="{at:.1f}" y="{bottom + 16}">{label}</text>'
        )
    for value, label in y.ticks():
        at = _y(y, value)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text class="tick" text-anchor="end" x="{_LEFT - 8}" y="{at + 4:.1f}">{label}</text>'
        )
    parts.append(
        f'<text class="axis" text-anchor="end" x="{right}" y="{bottom + 34}">{escape(x.title)}'
        f'</text><text class="axis" x="{_LEFT}" y="{_TOP - 4}">{escape(y.title)}</text>'
    )
    return "".join(parts)


def _mark(axis: Axis, value: float) -> str:
    at = _x(axis, value)
    return (
        f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}">'
        f"<title>{escape(f'threshold {value:.3f}')}</title></line>"
    )
