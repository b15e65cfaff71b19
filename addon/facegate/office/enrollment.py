"""Enrollment: a face is kept with a consent, and forgotten with its withdrawal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import hashlib
import uuid

from facegate.domain import Template, Vector
from facegate.errors import ConflictError, InvalidError, ModelError, VaultError
from facegate.face.shortcomings import Shortcoming, require_good
from facegate.identity.gallery import Candidate
from facegate.identity.threshold import Thresholds
from facegate.office.checks import check_language, check_text
from facegate.office.likeness import check_outlier, look_alike
from facegate.office.office import Change, Office, seal
from facegate.office.people import needs_guardian
from facegate.protocol import ErrorCode
from facegate.record.people import NewTemplate
from facegate.record.roll import consents_of, templates_of
from facegate.record.store import EventKind
from facegate.record.vault import Vault
from facegate.register import Consent, Person
from facegate.vision import Vision

MAX_REFERENCES = 10
MAX_FROM_CLIP = 5
_LONGEST_PURPOSE = 500
_AHEAD = timedelta(minutes=5)
"""How far the clock of whoever notes a consent may be ahead."""


@dataclass(frozen=True, slots=True)
class NewConsent:
    """What somebody agreed to; ``given_at`` is now where it is None."""

    text_version: str
    purpose: str
    language: str
    signer: str
    guardian: str | None = None
    given_at: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A photo that was read: its SHA-256, the face in it, and what is advised of the photo.

    That of a clip's frame is made of the clip and of the face, which the same clip gives again.
    """

    photo: bytes
    model_id: str
    embedding: Vector
    advice: tuple[Shortcoming, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A person with new references, and what was noticed: advice, and who else looks alike."""

    person: Person
    advice: tuple[Shortcoming, ...] = ()
    look_alike: Candidate | None = None


class Enrollment:
    """Consents and references. ``by`` is the user who asks.

    Every method raises ``NotFoundError`` where there is no such person, and ``RecordError``.
    """

    def __init__(self, office: Office, vision: Vision | None, thresholds: Thresholds) -> None:
        self._office = office
        self._vision = vision
        self._thresholds = thresholds

    async def consent(self, subject_id: str, new: NewConsent, by: str) -> Person:
        """Note a consent; raises ``InvalidError`` where it cannot be one."""
        async with self._office.changing(by) as change:
            person = self._office.roster.get(subject_id)
            change.hold(await add_consent(self._office, change, person, new))
        return self._office.roster.get(subject_id)

    async def withdraw(self, subject_id: str, by: str) -> Person:
        """Forget a person's face at once; its other credentials go on."""
        async with self._office.changing(by) as change:
            person = self._office.roster.get(subject_id)
            await forget_face(self._office, change, person)
        await self._office.store.checkpoint()
        return self._office.roster.get(subject_id)

    async def add_photo(
        self, subject_id: str, data: bytes, by: str, *, distinct: bool = False
    ) -> Enrolled:
        """Keep the face in a photo, once; ``distinct`` tells that a look-alike is somebody else.

        Raises ``ConflictError`` without a consent, with too many references, and for somebody who
        is enrolled already; ``ImageError`` for a photo that cannot be used or shows somebody
        else; ``ModelError`` and ``VaultError``.
        """
        self._check(subject_id)
        return await self._add(subject_id, (await self.read(data),), by, distinct=distinct)

    async def add_clip(
        self, subject_id: str, data: bytes, by: str, *, distinct: bool = False
    ) -> Enrolled:
        """Keep the best frames of a short clip, all or none, as ``add_photo`` does with a photo."""
        person = self._check(subject_id)
        vision = self._open()
        room = MAX_REFERENCES - len(self._office.roster.usable(person))
        photos = await vision.read_clip(data, min(MAX_FROM_CLIP, room))
        readings = tuple(
            Reading(
                photo_digest(data + photo.embedding.tobytes()), vision.model_id, photo.embedding
            )
            for photo in photos
        )
        return await self._add(subject_id, readings, by, distinct=distinct)

    async def read(self, data: bytes) -> Reading:
        """Return the face in a good photo; raises ``ImageError`` and ``ModelError``."""
        vision = self._open()
        photo = await vision.read_photo(data)
        advice = require_good(photo.quality)
        return Reading(photo_digest(data), vision.model_id, photo.embedding, advice)

    @property
    def alike(self) -> float:
        """The cosine from which two people are look-alikes at this site."""
        return self._thresholds.alike

    def needs_photos(self, subject_id: str) -> bool:
        """Return whether somebody has references of another model only."""
        return self._office.roster.needs_photos(subject_id)

    def _check(self, subject_id: str) -> Person:
        person = self._office.roster.get(subject_id)
        check_enrollable(self._office, person)
        _vault(self._office)
        return person

    def _open(self) -> Vision:
        if self._vision is None:
            raise ModelError("faces cannot be read: a model is missing, see the engine's log")
        return self._vision

    async def _add(
        self, subject_id: str, readings: tuple[Reading, ...], by: str, *, distinct: bool
    ) -> Enrolled:
        advice = {each.component: each for reading in readings for each in reading.advice}
        alike: Candidate | None = None
        async with self._office.changing(by) as change:
            before = person = self._office.roster.get(subject_id)
            for reading in readings:
                check_enrollable(self._office, person)
                person, found = await add_reading(
                    self._office, change, person, reading, alike=self.alike, distinct=distinct
                )
                if found is not None and (alike is None or found.score > alike.score):
                    alike = found
            if person is not before:
                change.hold(person)
        return Enrolled(self._office.roster.get(subject_id), tuple(advice.values()), alike)

    async def has_read(self, subject_id: str, data: bytes) -> bool:
        """Tell whether the face in this very photo is kept already."""
        model_id = self._vision.model_id if self._vision else None
        kept = await templates_of(self._office.store, subject_id)
        return (photo_digest(data), model_id) in {(each.photo, each.model_id) for each in kept}


def photo_digest(data: bytes) -> bytes:
    """Return the SHA-256 of a photo."""
    return hashlib.sha256(data).digest()


# --- within a change --------------------------------------------------------------------------


def check_enrollable(office: Office, person: Person) -> None:
    """Raise ``ConflictError`` unless a person has consented and there is room."""
    if person.consent is None:
        raise no_consent()
    if len(office.roster.usable(person)) >= MAX_REFERENCES:
        raise ConflictError(
            f"there are {MAX_REFERENCES} references of this person already", ErrorCode.TOO_MANY
        )


def no_consent() -> ConflictError:
    """Return the refusal of a face without a consent."""
    return ConflictError(
        "a face is kept only with a consent: note the person's consent first",
        ErrorCode.CONSENT_REQUIRED,
    )


async def add_consent(office: Office, change: Change, person: Person, new: NewConsent) -> Person:
    """Write a consent that is new, and return the person with it in force."""
    subject = person.subject
    given_at = new.given_at or change.at
    if given_at > change.at + _AHEAD:
        raise InvalidError("given_at: lies in the future")
    guardian = None if new.guardian is None else check_text("guardian", new.guardian)
    if guardian is None and needs_guardian(office, subject, given_at):
        raise InvalidError(
            f"guardian: required under {office.rules.consent_age} years, and for a pupil whose"
            " birth_date is not known"
        )
    consent = Consent(
        uuid.uuid4().hex,
        subject.id,
        check_text("text_version", new.text_version),
        check_text("purpose", new.purpose, _LONGEST_PURPOSE),
        check_language(new.language),
        check_text("signer", new.signer),
        given_at,
        guardian,
    )
    history = await consents_of(office.store, subject.id)
    for each in history:
        at = each.given_at if new.given_at is None else given_at
        if each == replace(consent, id=each.id, given_at=at):
            return person
    if any(each.withdrawn_at is not None and given_at <= each.withdrawn_at for each in history):
        raise InvalidError(
            "given_at: this consent was given before the last one was withdrawn; ask again"
        )
    await office.rows.add_consent(change.work, consent)
    version = consent.text_version
    change.tell(EventKind.CONSENT, "given", subject_id=subject.id, text_version=version)
    if person.consent and person.consent.given_at > given_at:
        return person
    return replace(person, consent=consent)


async def add_reading(
    office: Office,
    change: Change,
    person: Person,
    reading: Reading,
    *,
    alike: float,
    distinct: bool = False,
) -> tuple[Person, Candidate | None]:
    """Write a reference, and return the person with it and who is as near as ``alike`` to it.

    The person is returned as it is where the photo was read already. Raises ``ImageError`` where
    the face is not the person's, and ``ConflictError`` where somebody else has it, unless the two
    are ``distinct``.
    """
    subject_id = person.subject.id
    kept = await templates_of(office.store, subject_id)
    if any((each.photo, each.model_id) == (reading.photo, reading.model_id) for each in kept):
        return person, None
    vault = _vault(office)
    check_outlier(office.roster, person, reading.embedding)
    other = look_alike(office.roster, person, reading.embedding, alike=alike, distinct=distinct)
    template = Template(uuid.uuid4().hex, subject_id, reading.model_id, reading.embedding)
    new = NewTemplate(template, seal(vault, template), reading.photo)
    await office.rows.add_template(change.work, new, change.at)
    change.tell(
        EventKind.PEOPLE,
        "enrolled",
        subject_id=subject_id,
        model=reading.model_id,
        resembles=other.subject_id if other else None,
        likeness=round(other.score, 3) if other else None,
        distinct=distinct,
    )
    return replace(person, templates=(*person.templates, template)), other


async def forget_face(office: Office, change: Change, person: Person) -> None:
    """End a person's consents and remove its references; whoever calls makes a checkpoint."""
    subject_id = person.subject.id
    if person.consent is None and not person.templates:
        return
    await office.rows.withdraw_consents(change.work, subject_id, change.at)
    await office.rows.remove_templates(change.work, subject_id)
    change.tell(EventKind.CONSENT, "withdrawn", subject_id=subject_id)
    change.hold(replace(person, consent=None, templates=()))


def _vault(office: Office) -> Vault:
    if office.vault is None:
        raise VaultError("faces cannot be kept: the site's key is missing, see the engine's log")
    return office.vault
