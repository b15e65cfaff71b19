"""Prometheus's text exposition format, version 0.0.4: families of samples as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import math

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Kind(StrEnum):
    """How a family's samples are to be read."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value; ``suffix`` is what the name of a histogram's sample ends with."""

    value: float
    labels: Mapping[str, str]
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name, which is a valid one and, for a counter, ends with ``_total``."""

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]


def family(
    name: str, kind: Kind, text: str, values: Mapping[tuple[str, ...], float], *labels: str
) -> Family:
    """Return a family of values by what their labels say, in the order of ``labels``."""
    return Family(
        name,
        kind,
        text,
        tuple(
            Sample(value, dict(zip(labels, said, strict=True))) for said, value in values.items()
        ),
    )


def histogram_samples(
    labels: Mapping[str, str],
    bounds: Iterable[float],
    cumulative: Iterable[int],
    count: int,
    total: float,
) -> tuple[Sample, ...]:
    """Return a histogram's buckets, the last without a bound, and its sum and count."""
    buckets = [*zip(bounds, cumulative, strict=True), (math.inf, count)]
    return (
        *(Sample(below, {**labels, "le": _number(bound)}, "_bucket") for bound, below in buckets),
        Sample(total, labels, "_sum"),
        Sample(count, labels, "_count"),
    )


def exposition(families: Iterable[Family]) -> str:
    """Return the text of families; one without samples is left out."""
    return "".join(_text(family) for family in families if family.samples)


def _text(shown: Family) -> str:
    lines = [f"# HELP {shown.name} {_escaped(shown.help)}", f"# TYPE {shown.name} {shown.kind}"]
    lines += [
        f"{shown.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}"
        for sample in shown.samples
    ]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    quote = '\\"'
    pairs = (f'{name}="{_escaped(said).replace('"', quote)}"' for name, said in labels.items())
    return f"{{{','.join(pairs)}}}" if labels else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
