"""Reads what the engine tells of itself: /metrics and the latencies in /health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
import re

_SAMPLE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Metrics:
    """Lengths of queues by name, and what was left out so far by kind, of all cameras."""

    queues: Mapping[str, int]
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of a stage's newest samples, in milliseconds."""

    p50_ms: float
    p95_ms: float


def parse_metrics(text: str) -> Metrics:
    """Return what a text in Prometheus's exposition format says; unknown families are skipped."""
    queues: dict[str, int] = {}
    dropped: dict[str, int] = {}
    for line in text.splitlines():
        found = _SAMPLE.fullmatch(line)
        if found is None:
            continue
        labels = dict(_LABEL.findall(found["labels"] or ""))
        if found["name"] == "facegate_queue_length":
            queues[labels["queue"]] = int(float(found["value"]))
        elif found["name"] == "facegate_dropped_total":
            kind = labels["kind"]
            dropped[kind] = dropped.get(kind, 0) + int(float(found["value"]))
    return Metrics(queues, dropped)


def parse_latencies(health: str) -> Mapping[str, Latency]:
    """Return the stages in an answer of /health that have been measured, in their order."""
    return {
        stage: Latency(found["p50"], found["p95"])
        for stage, found in json.loads(health).get("latency_ms", {}).items()
    }
