"""The demo's dashboard: the front door at a glance, and the one tap that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from demo.home import LATEST, RELAY

type Card = dict[str, object]


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """The entity ids of one door, of its camera, its relay, its area and of the site."""

    lock: str
    access: str
    visitor: str
    visitor_waiting: str
    visitor_picture: str
    last_picture: str
    let_in: str
    turn_away: str
    mode: str
    camera: str
    occupancy: str
    lockdown: str
    relay: str = RELAY

    @classmethod
    def find(cls, ids: dict[str, str], door_id: str, camera_id: str, area_id: str) -> Self:
        """Pick them from the entity ids by unique id; raises ``KeyError`` for a missing one."""

        def one(ending: str) -> str:
            found = [entity for unique, entity in ids.items() if unique.endswith(ending)]
            if len(found) != 1:
                raise KeyError(f"one entity should have a unique id ending in {ending}: {found}")
            return found[0]

        keys = (
            "lock",
            "access",
            "visitor",
            "visitor_waiting",
            "visitor_picture",
            "last_picture",
            "let_in",
            "turn_away",
            "mode",
        )
        parts = {key: one(f"-{door_id}-{key}") for key in keys}
        return cls(
            **parts,
            camera=one(f"-{camera_id}-camera"),
            occupancy=one(f"-{area_id}-occupancy"),
            lockdown=one("-lockdown"),
        )

    @property
    def all(self) -> tuple[str, ...]:
        """Every entity that FaceGate provides."""
        return (
            self.lock,
            self.access,
            self.visitor,
            self.visitor_waiting,
            self.visitor_picture,
            self.last_picture,
            self.let_in,
            self.turn_away,
            self.mode,
            self.camera,
            self.occupancy,
            self.lockdown,
        )


def lock_of(ids: dict[str, str], door_id: str) -> str:
    """Return the lock of a door; raises ``KeyError`` where it has none."""
    ending = f"-{door_id}-lock"
    found = next((entity for unique, entity in ids.items() if unique.endswith(ending)), None)
    if found is None:
        raise KeyError(f"no entity has a unique id ending in {ending}")
    return found


def dashboard(door: FrontDoor, back_lock: str | None) -> dict[str, object]:
    """Return the Lovelace configuration."""
    sections = [_door_section(door, back_lock), _visitor_section(door), _events_section(door)]
    view: dict[str, object] = {
        "title": "Front door",
        "path": "front-door",
        "icon": "mdi:door-closed-lock",
        "type": "sections",
        "max_columns": 3,
        "sections": sections,
    }
    return {"title": "FaceGate demo", "views": [view]}


def _heading(text: str, icon: str) -> Card:
    return {"type": "heading", "heading": text, "icon": icon, "heading_style": "title"}


def _section(*cards: Card) -> dict[str, object]:
    return {"type": "grid", "cards": list(cards)}


def _tile(entity: str, name: str, *, half: bool = False, **more: object) -> Card:
    columns = 6 if half else "full"
    return {
        "type": "tile",
        "entity": entity,
        "name": name,
        "grid_options": {"columns": columns},
        **more,
    }


def _picture(entity: str, name: str, **more: object) -> Card:
    return {
        "type": "picture-entity",
        "entity": entity,
        "name": name,
        "fit_mode": "cover",
        "grid_options": {"columns": "full"},
        **more,
    }


def _only_if(card: Card, entity: str, **condition: object) -> Card:
    return card | {"visibility": [{"condition": "state", "entity": entity, **condition}]}


def _answer(entity: str, name: str, icon: str, color: str) -> Card:
    press = {
        "action": "perform-action",
        "perform_action": "button.press",
        "target": {"entity_id": entity},
    }
    return _tile(
        entity,
        name,
        half=True,
        icon=icon,
        color=color,
        vertical=True,
        hide_state=True,
        tap_action=press,
        icon_tap_action=press,
    )


def _door_section(door: FrontDoor, back_lock: str | None) -> dict[str, object]:
    return _section(
        _heading("Front door", "mdi:door"),
        _tile(
            door.lock,
            "Front door",
            features=[{"type": "lock-commands"}, {"type": "lock-open-door"}],
        ),
        _picture(door.last_picture, "Last seen"),
        _tile(door.relay, "Door relay", half=True),
        _tile(door.camera, "Camera", half=True),
        _tile(door.occupancy, "People inside", half=True),
        _tile(door.lockdown, "Lockdown", half=True, color="red"),
        _tile(door.mode, "Mode", features=[{"type": "select-options"}]),
        *(
            [_tile(back_lock, "Back door", features=[{"type": "lock-open-door"}])]
            if back_lock
            else []
        ),
    )


def _visitor_section(door: FrontDoor) -> dict[str, object]:
    waiting = door.visitor_waiting
    nobody = _text("Nobody is waiting. A stranger who stays at the door rings here.")
    picture = _picture(door.visitor_picture, "At the door", show_state=False, aspect_ratio="4:5")
    return _section(
        _heading("Visitor", "mdi:doorbell"),
        _tile(waiting, "Visitor waiting", color="amber"),
        _only_if(nobody, waiting, state="off"),
        # By its own state: the picture is told a moment after the call.
        _only_if(picture, door.visitor_picture, state_not=["unknown", "unavailable"]),
        _only_if(_answer(door.let_in, "Let in", "mdi:door-open", "green"), waiting, state="on"),
        _only_if(
            _answer(door.turn_away, "Turn away", "mdi:hand-back-right", "red"), waiting, state="on"
        ),
    )


def _events_section(door: FrontDoor) -> dict[str, object]:
    return _section(
        _heading("Last decision", "mdi:shield-account"),
        _text(_DECISION.replace("ACCESS", door.access)),
        _heading("Latest", "mdi:history"),
        _text(_LATEST.replace("LATEST", LATEST)),
    )


def _text(content: str) -> Card:
    return {"type": "markdown", "content": content, "grid_options": {"columns": "full"}}


# Templates of Home Assistant: the newest decision with its receipt, and the newest events.
_DECISION = """\
{% set e = 'ACCESS' %}
{% if state_attr(e, 'event_type') %}
{% set approver = state_attr(e, 'approver') %}
{% set visits = state_attr(e, 'basis') == 'visitor' %}
**{{ state_attr(e, 'subject') or ('Visitor' if visits else approver or 'Unknown person') }}** \
{{ 'may pass' if state_attr(e, 'event_type') == 'access_granted' else 'may not pass' }}: \
{{ state_attr(e, 'reason') | replace('_', ' ') }}{{ ' by ' ~ approver if visits else '' }}

| | | measured | limit |
|:-|:-|-:|-:|
{% set verdicts = state_attr(e, 'verdicts') or [] -%}
{% for v in verdicts | rejectattr('requirement', 'eq', 'off') -%}
{%- set icon = {'pass': 'check-circle', 'fail': 'close-circle'}.get(v.outcome, 'help-circle') -%}
| <ha-icon icon="mdi:{{ icon }}"></ha-icon> {{ v.control }} \
| {{ v.reason | replace('_', ' ') }} \
| {{ '%.2f' | format(v.measured) if v.measured is not none else '' }} \
| {{ '%.2f' | format(v.limit) if v.limit is not none else '' }} |
{% endfor %}
{%- set off = verdicts | selectattr('requirement', 'eq', 'off') | map(attribute='control') | list %}
{{ 'Off at this door: ' ~ off | join(', ') | replace('_', ' ') if off else '' }}
{% else %}
Nobody has come yet.
{% endif %}
"""
_LATEST = """\
{% for e in state_attr('LATEST', 'events') or [] -%}
{%- set icon, text = {
  'access_granted': ('door-open', e.who ~ ', ' ~ e.reason),
  'access_denied': ('cancel', e.who ~ ', ' ~ e.reason),
  'ring': ('doorbell', 'A visitor rings')}[e.type] -%}
<ha-icon icon="mdi:{{ icon }}"></ha-icon> {{ e.at }} &nbsp; {{ text }}

{% else %}
Nothing yet.
{% endfor %}
"""
