"""The report as tables for a terminal."""

from __future__ import annotations

from facegate.evaluation.report import Report
from facegate.evaluation.sections import Table, sections

_GAP = "  "


def to_text(report: Report) -> str:
    """Return everything that was measured, a table a noun."""
    lines = [f"FaceGate {report.version}, embeddings of {report.embedder}"]
    for section in sections(report):
        lines += ["", section.topic.upper(), *section.sentences]
        for table in section.tables:
            lines += ["", *([table.title] if table.title else []), *_aligned(table)]
    return "\n".join(lines) + "\n"


def _aligned(table: Table) -> list[str]:
    """Return lines whose columns stand under each other."""
    every = (table.head, *table.rows)
    widths = [max(len(row[column]) for row in every) for column in range(len(table.head))]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    ]
