"""What is accepted of a person's fields; every refusal names the field."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
import re

from facegate.errors import InvalidError
from facegate.office.office import OfficeRules
from facegate.register import Guardian, Permit, SubjectKind

MAX_PERMITS = 100
_MAX_GUARDIANS = 10
_MAX_GROUPS = 50
_LONGEST = 80
_EARLIEST = date(1900, 1, 1)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_NOTIFY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?")


@dataclass(frozen=True, slots=True)
class Details:
    """What is written of a person; ``groups`` are ids."""

    name: str
    kind: str = SubjectKind.RESIDENT
    external_id: str | None = None
    unit: str | None = None
    language: str | None = None
    birth_date: date | None = None
    groups: tuple[str, ...] = ()
    guardians: tuple[Guardian, ...] = ()


def check_details(details: Details, group_ids: Container[str], today: date) -> Details:
    """Return details without outer spaces; raises ``InvalidError``."""
    if details.kind not in list(SubjectKind):
        accepted = ", ".join(SubjectKind)
        raise InvalidError(f"kind: {details.kind!r} is not one of {accepted}")
    if details.language is not None:
        check_language(details.language)
    if details.birth_date is not None and not _EARLIEST <= details.birth_date <= today:
        raise InvalidError(f"birth_date: expected a date from {_EARLIEST} to {today}")
    for index, group_id in enumerate(details.groups):
        if group_id not in group_ids:
            raise InvalidError(f"groups[{index}]: no group has the id {group_id[:40]!r}")
    if len(details.groups) > _MAX_GROUPS:
        raise InvalidError(f"groups: expected at most {_MAX_GROUPS}")
    if len(details.guardians) > _MAX_GUARDIANS:
        raise InvalidError(f"guardians: expected at most {_MAX_GUARDIANS}")
    return Details(
        name=check_text("name", details.name),
        kind=details.kind,
        external_id=_optional("external_id", details.external_id),
        unit=_optional("unit", details.unit),
        language=details.language,
        birth_date=details.birth_date,
        groups=tuple(dict.fromkeys(details.groups)),
        guardians=tuple(
            _guardian(f"guardians[{index}]", guardian)
            for index, guardian in enumerate(details.guardians)
        ),
    )


def check_text(path: str, text: str, longest: int = _LONGEST) -> str:
    """Return text without outer spaces; raises ``InvalidError``."""
    text = text.strip()
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise InvalidError(f"{path}: expected 1 to {longest} characters, in one line")
    return text


def check_language(tag: str) -> str:
    """Return the tag of a language; raises ``InvalidError``."""
    if not _LANGUAGE.fullmatch(tag):
        raise InvalidError(f"language: {tag[:40]!r} is not a tag such as en or zh-CN")
    return tag


def check_permits(permits: Sequence[Permit], rules: OfficeRules) -> None:
    """Raise ``InvalidError`` where a permit cannot be."""
    if len(permits) > MAX_PERMITS:
        raise InvalidError(f"permits: expected at most {MAX_PERMITS}")
    for index, permit in enumerate(permits):
        path = f"permits[{index}]"
        if permit.door_id not in rules.door_ids:
            doors = ", ".join(rules.door_ids)
            raise InvalidError(f"{path}.door_id: {permit.door_id!r} is not one of {doors}")
        if permit.schedule_id is not None and permit.schedule_id not in rules.schedule_ids:
            known = ", ".join(rules.schedule_ids) or "none: the options name no schedule"
            raise InvalidError(f"{path}.schedule_id: {permit.schedule_id!r} is not one of {known}")
        begin, end = permit.valid_from, permit.valid_until
        if begin is not None and end is not None and end <= begin:
            raise InvalidError(f"{path}.valid_until: must be after valid_from")


def age(birth_date: date, at: datetime) -> int:
    """Return somebody's age in years."""
    today = at.date()
    return today.year - birth_date.year - ((today.month, today.day) < birth_date.timetuple()[1:3])


def _optional(path: str, text: str | None) -> str | None:
    return None if text is None else check_text(path, text)


def _guardian(path: str, guardian: Guardian) -> Guardian:
    notify = guardian.notify
    if notify is not None and not _NOTIFY.fullmatch(notify):
        raise InvalidError(
            f"{path}.notify: {notify[:40]!r} is not a notify action such as mobile_app_phone"
        )
    return Guardian(check_text(f"{path}.name", guardian.name), notify)
