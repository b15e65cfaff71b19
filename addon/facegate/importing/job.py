"""A job: one import, how far it is and what it refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
import uuid

from facegate.office.intake import Imported
from facegate.protocol import ImportProgress

MAX_REPORTED = 1000
_LONGEST_SHOWN = 80


class JobState(StrEnum):
    """How far an import is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not put: its number as in a spreadsheet, and why."""

    row: int
    external_id: str
    reason: str


@dataclass(slots=True)
class Job:
    """One import; ``fault`` says why it failed. Of the refusals the first are kept."""

    total: int
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: JobState = JobState.RUNNING
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    fault: str | None = None
    report: list[Refusal] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many rows were seen to."""
        return self.added + self.changed + self.unchanged + self.refused

    def count(self, outcome: Imported) -> None:
        """Note a row that was put."""
        match outcome:
            case Imported.ADDED:
                self.added += 1
            case Imported.CHANGED:
                self.changed += 1
            case Imported.UNCHANGED:
                self.unchanged += 1

    def refuse(self, row: int, external_id: str, reason: str) -> None:
        """Note a row that was refused."""
        self.refused += 1
        if len(self.report) < MAX_REPORTED:
            self.report.append(Refusal(row, external_id[:_LONGEST_SHOWN], reason))

    def progress(self) -> ImportProgress:
        """Return what clients are told."""
        return ImportProgress(self.id, self.state, self.done, self.total, self.refused)
