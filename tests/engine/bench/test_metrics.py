"""What the engine tells of itself, read by the benchmark."""

from __future__ import annotations

from facegate.bench.metrics import Latency, parse_latencies, parse_metrics

TEXT = """# HELP facegate_queue_length What waits to be done or sent now.
# TYPE facegate_queue_length gauge
facegate_queue_length{queue="socket"} 2
facegate_queue_length{queue="background"} 0
facegate_dropped_total{camera="a",kind="frame_replaced"} 3
facegate_dropped_total{camera="b",kind="frame_replaced"} 4
facegate_dropped_total{camera="b",kind="frame_rejected"} 1
process_threads 9
"""


def test_queues_and_drops_are_read_from_metrics() -> None:
    found = parse_metrics(TEXT)
    assert found.queues == {"socket": 2, "background": 0}
    assert found.dropped == {"frame_replaced": 7, "frame_rejected": 1}


def test_latencies_are_read_from_health() -> None:
    health = '{"status": "ok", "latency_ms": {"detect": {"p50": 6.5, "p95": 9.0}}}'
    assert parse_latencies(health) == {"detect": Latency(6.5, 9.0)}
    assert parse_latencies('{"status": "ok"}') == {}
