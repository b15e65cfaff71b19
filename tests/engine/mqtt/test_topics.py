"""The documented topics are those of the code."""

from __future__ import annotations

import re

from facegate.api.mqtt_topics import TOPICS
from tests.project.tree import ROOT


def test_the_table_of_topics_and_the_code_are_equal() -> None:
    rows = [
        line
        for line in (ROOT / "docs/mqtt.md").read_text().splitlines()
        if re.match(r"\| `<topic>/", line)
    ]
    assert rows == [
        f"| `{topic.under('<topic>', '<id>')}` | {topic.way} | {'yes' if topic.retained else 'no'}"
        f" | {topic.payload} | {topic.since} |"
        for topic in TOPICS
    ]
