"""Residents for a benchmark: enrolled through the engine's API, as everybody is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facegate.bench.program import Program
from facegate.enroll import NewPerson, enroll
from facegate.errors import FaceGateError
from facegate.register import SubjectKind


@dataclass(frozen=True, slots=True)
class Resident:
    """A name and the photos, or the short clip, to enroll with."""

    name: str
    files: tuple[Path, ...]


async def enroll_residents(
    program: Program, residents: tuple[Resident, ...], doors: tuple[str, ...]
) -> tuple[str, ...]:
    """Enroll residents who may pass these doors; return the names of those who could not be.

    Raises ``FaceGateError`` where nobody could be, though somebody should.
    """
    refused = []
    why = ""
    for resident in residents:
        person = NewPerson(
            resident.name,
            SubjectKind.RESIDENT,
            list(doors),
            "bench",
            "access",
            "en",
            resident.name,
        )
        try:
            await enroll(program.data, program.url, person, list(resident.files))
        except FaceGateError as err:
            refused.append(resident.name)
            why = str(err)
    if residents and len(refused) == len(residents):
        raise FaceGateError(f"nobody could be enrolled: {why}")
    return tuple(refused)
