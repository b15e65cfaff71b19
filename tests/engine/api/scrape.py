"""A strict reader of Prometheus's text format 0.0.4: what it does not read is not the format.

Written from https://prometheus.io/docs/instrumenting/exposition_formats/ and shares no code with
what it reads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
import math
import re

type Labels = frozenset[tuple[str, str]]

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{((?:{_LABEL})(?:,{_LABEL})*)\}})? (\S+)")
_COMMENT = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.+)")
_HELP_TEXT = re.compile(r"(?:[^\\]|\\[\\n])+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?|[+-]Inf|NaN")
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass
class Scraped:
    """One family: samples by name and labels."""

    name: str
    help: str
    kind: str = ""
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def value(self, suffix: str = "", **labels: str) -> float:
        """Return one sample."""
        return self.samples[self.name + suffix, frozenset(labels.items())]


def read(text: str) -> dict[str, Scraped]:
    """Return the families of a scrape; raises ``AssertionError`` where the text breaks a rule."""
    assert text.endswith("\n"), "the last line has no end"
    families: dict[str, Scraped] = {}
    newest: Scraped | None = None
    for line in text[:-1].split("\n"):
        if comment := _COMMENT.fullmatch(line):
            newest = _comment(comment, families, newest)
        else:
            assert newest is not None, f"a sample before any family: {line}"
            _sample(line, newest)
    for found in families.values():
        _check(found)
    return families


def _comment(
    comment: re.Match[str], families: dict[str, Scraped], newest: Scraped | None
) -> Scraped:
    word, name, rest = comment.groups()
    if word == "HELP":
        assert name not in families, f"{name} is told in two places"
        assert _HELP_TEXT.fullmatch(rest), f"{name}: a backslash that escapes nothing"
        families[name] = Scraped(name, rest)
        return families[name]
    assert newest is not None, f"{name}: a type without help"
    assert newest.name == name, f"{name}: a type without its help"
    assert not newest.kind, f"{name} has two types"
    assert not newest.samples, f"{name}: samples before the type"
    assert rest in {"counter", "gauge", "histogram"}, f"{name}: {rest}"
    newest.kind = rest
    return newest


def _sample(line: str, newest: Scraped) -> None:
    found = _SAMPLE.fullmatch(line)
    assert found, f"not a line of the format: {line!r}"
    name, labels, number = found[1], found[2] or "", found[found.re.groups]
    endings = ("_bucket", "_sum", "_count") if newest.kind == "histogram" else ("",)
    assert name in {newest.name + ending for ending in endings}, f"{name} under {newest.name}"
    assert _NUMBER.fullmatch(number), f"{name}: not a number: {number}"
    pairs = [(key, _plain(said)) for key, said in re.findall(_LABEL, labels)]
    assert len(dict(pairs)) == len(pairs), f"{name}: a label is given twice"
    key = (name, frozenset(pairs))
    assert key not in newest.samples, f"told twice: {line}"
    newest.samples[key] = float(number)


def _plain(said: str) -> str:
    return re.sub(r"\\.", lambda escaped: _ESCAPED[escaped[0]], said)


def _check(found: Scraped) -> None:
    assert found.kind, f"{found.name} has no type"
    assert found.samples, f"{found.name} has no samples"
    if found.kind == "counter":
        assert found.name.endswith("_total")
        assert all(value >= 0 for value in found.samples.values())
    if found.kind == "histogram":
        _check_histogram(found)


def _check_histogram(found: Scraped) -> None:
    buckets: dict[Labels, dict[float, float]] = defaultdict(dict)
    for (name, labels), value in found.samples.items():
        if name.endswith("_bucket"):
            bound = float(dict(labels)["le"])
            own = frozenset(pair for pair in labels if pair[0] != "le")
            assert bound not in buckets[own], f"{found.name}: two buckets of {bound}"
            buckets[own][bound] = value
    for own, values in buckets.items():
        assert list(values) == sorted(values), f"{found.name}: bounds out of order"
        assert list(values.values()) == sorted(values.values()), f"{found.name}: not cumulative"
        assert values[math.inf] == found.samples[f"{found.name}_count", own]
        assert found.samples[f"{found.name}_sum", own] >= 0
    assert len(found.samples) == sum(len(values) + 2 for values in buckets.values())
