"""What an engine's office answers, as scripts need it."""

from __future__ import annotations

from typing import Any

ANN: dict[str, Any] = {
    "id": "subject-1",
    "name": "Ann",
    "kind": "resident",
    "number": "1042",
    "external_id": None,
    "unit": "12B",
    "language": "en",
    "birth_date": None,
    "groups": [],
    "guardians": [],
    "references": 1,
    "permits": [],
    "approval": None,
    "credentials": [],
    "consent": None,
    "area_id": None,
    "last_seen_at": None,
}
BEN: dict[str, Any] = {
    **ANN, "id": "subject-2", "name": "Ben", "area_id": "hall", "last_seen_at": 1_000.0,
}  # fmt: skip
