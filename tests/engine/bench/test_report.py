"""Reports: what machines and people read."""

from __future__ import annotations

import json

from facegate.bench.report import (
    Bound,
    Figure,
    Section,
    Table,
    Target,
    as_json,
    as_markdown,
    report,
)

SECTION = Section(
    "Doors",
    (
        Figure("speed", 2.5, "", Target(Bound.AT_LEAST, 2)),
        Figure("memory", 360.25, "MB", Target(Bound.AT_MOST, 350)),
        Figure("threads", 12),
        Figure("cosine", 0.99998),
    ),
    (Table(("who", "ms"), (("we", 1.2345), ("they", None))),),
    ("measured at night",),
)


def test_json_tells_machine_versions_command_and_whether_targets_were_met() -> None:
    told = json.loads(as_json(report("facegate bench doors", (SECTION,))))
    assert told["command"] == "facegate bench doors"
    assert told["machine"]["cores"] >= 1
    assert told["machine"]["cpu"]
    assert set(told["versions"]) >= {"facegate", "python", "onnxruntime"}
    (section,) = told["sections"]
    assert [figure["met"] for figure in section["figures"]] == [True, False, None, None]
    assert section["figures"][1]["target"] == {"bound": "<=", "value": 350}
    assert section["tables"][0]["rows"] == [["we", 1.2345], ["they", None]]


def test_markdown_shows_figures_targets_tables_and_notes() -> None:
    text = as_markdown(report("facegate bench doors", (SECTION,)))
    assert "`facegate bench doors`" in text
    assert "| speed | 2.5 | >= 2 | yes |" in text
    assert "| memory | 360 MB | <= 350 MB | **no** |" in text
    assert "| threads | 12 |  |  |" in text
    assert "| cosine | 0.999980 |  |  |" in text
    assert "| who | ms |\n|---|---|\n| we | 1.23 |\n| they | - |" in text
    assert "- measured at night" in text
