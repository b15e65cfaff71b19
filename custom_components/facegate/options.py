"""What a user chose of one engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

ACTUATORS = "actuators"
CONTACTS = "contacts"
THERMOMETERS = "thermometers"
EXIT_BUTTONS = "exit_buttons"
DOORBELLS = "doorbells"
READERS = "readers"
SHOW_PEOPLE = "show_people"


@dataclass(frozen=True, slots=True)
class Options:
    """Doors' ids to the entities that drive them and that stand at them; and who is shown."""

    actuators: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    show_people: bool = False
    thermometers: Mapping[str, str] = field(default_factory=dict)
    exit_buttons: Mapping[str, str] = field(default_factory=dict)
    doorbells: Mapping[str, str] = field(default_factory=dict)
    readers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Read an entry's options."""
        return cls(
            stored.get(ACTUATORS, {}),
            stored.get(CONTACTS, {}),
            stored.get(SHOW_PEOPLE, False),
            stored.get(THERMOMETERS, {}),
            stored.get(EXIT_BUTTONS, {}),
            stored.get(DOORBELLS, {}),
            stored.get(READERS, {}),
        )

    def stored(self) -> dict[str, Any]:
        """Return what an entry's options hold."""
        return asdict(self)
