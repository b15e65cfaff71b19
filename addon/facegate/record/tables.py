"""The tables. Moments are seconds since the Unix epoch in UTC; bodies are JSON.

What is ``sealed`` is encrypted by the vault, bound to the row that it stands in.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""


class SiteRow(Base):
    """What the engine knows of itself: one row a key."""

    __tablename__ = "site"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


# --- who --------------------------------------------------------------------------------------


class SubjectRow(Base):
    """A person who is known here; ``number`` is what is entered before a PIN."""

    __tablename__ = "subjects"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    created_at: Mapped[float]
    number: Mapped[str] = mapped_column(unique=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    unit: Mapped[str | None]
    language: Mapped[str | None]
    birth_date: Mapped[str | None]


class GroupRow(Base):
    """Subjects that share permits and dates."""

    __tablename__ = "groups"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class MemberRow(Base):
    """A subject in a group."""

    __tablename__ = "members"

    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class GuardianRow(Base):
    """Who is told of a subject's passages."""

    __tablename__ = "guardians"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    notify: Mapped[str | None]


# --- may --------------------------------------------------------------------------------------


class PermitRow(Base):
    """A subject or a group at a door; null means both directions, always, or no end."""

    __tablename__ = "permits"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject_id: Mapped[str | None] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    group_id: Mapped[str | None] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), index=True
    )
    door_id: Mapped[str]
    direction: Mapped[str | None]
    schedule_id: Mapped[str | None]
    valid_from: Mapped[float | None]
    valid_until: Mapped[float | None]


class ApprovalRow(Base):
    """How far a contractor's approval has come."""

    __tablename__ = "approvals"

    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[str]
    until: Mapped[float | None]


class CredentialRow(Base):
    """A PIN or a card: ``secret`` and ``duress`` are hashes.

    A card's hash is always the same, and so is given to nobody twice; those of PINs are salted.
    """

    __tablename__ = "credentials"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]
    secret: Mapped[str] = mapped_column(unique=True)
    duress: Mapped[str | None]
    valid_until: Mapped[float | None]
    created_at: Mapped[float]


class RetirementRow(Base):
    """From this moment on a kind of credential opens nothing to a group."""

    __tablename__ = "retirements"

    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]


# --- with whose consent -----------------------------------------------------------------------


class ConsentRow(Base):
    """What a subject, or a guardian for it, agreed to; in force while not withdrawn."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    text_version: Mapped[str]
    purpose: Mapped[str]
    language: Mapped[str]
    signer: Mapped[str]
    given_at: Mapped[float]
    guardian: Mapped[str | None]
    withdrawn_at: Mapped[float | None]


class TemplateRow(Base):
    """A reference template: 128 little-endian float32 of unit length, sealed.

    It is bound to (subject, model, its own id). ``photo`` is the SHA-256 of the photo that it
    was made from, so that the same photo is not read twice.
    """

    __tablename__ = "templates"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    model_id: Mapped[str]
    sealed: Mapped[bytes]
    photo: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[float]


# --- visitors, places, doors ------------------------------------------------------------------


class PassRow(Base):
    """A visitor pass; ``door_ids`` is a JSON list."""

    __tablename__ = "passes"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    made_by: Mapped[str]
    door_ids: Mapped[str]
    valid_from: Mapped[float]
    valid_until: Mapped[float]
    max_uses: Mapped[int]
    nonce_digest: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    pin_hash: Mapped[str]
    unit: Mapped[str | None]
    used: Mapped[int]
    revoked_at: Mapped[float | None]


class PresenceRow(Base):
    """A subject in an area, which it entered and has not left."""

    __tablename__ = "presence"

    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True
    )
    area_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[float]


class SightingRow(Base):
    """Where and when a subject was last seen."""

    __tablename__ = "sightings"

    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[float]
    door_id: Mapped[str]


class HeadCountRow(Base):
    """How many more are in an area than have a name; negative where names are too many."""

    __tablename__ = "head_counts"

    area_id: Mapped[str] = mapped_column(primary_key=True)
    heads: Mapped[int]


class PictureRow(Base):
    """A picture (JPEG) that is kept for a time, sealed and bound to (kind, ref)."""

    __tablename__ = "pictures"

    kind: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str | None] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    sealed: Mapped[bytes]
    at: Mapped[float]
    until: Mapped[float] = mapped_column(index=True)


class DoorModeRow(Base):
    """The mode that a door was put in; doors without a row are in normal mode."""

    __tablename__ = "door_modes"

    door_id: Mapped[str] = mapped_column(primary_key=True)
    mode: Mapped[str]


# --- what happened ----------------------------------------------------------------------------


class EventRow(Base):
    """One thing that happened; rows are added and never changed.

    ``ref`` is the decision, call or opening that the event belongs to. A granted decision names
    the opening that it causes (then both ids are the same) or joins. ``hash`` links the row to
    all before it, see ``record.chain``.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_kind_ref", "kind", "ref"),
        Index("ix_events_subject_id", "subject_id"),
        Index("ix_events_at", "at"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[float]
    kind: Mapped[str]
    ref: Mapped[str]
    door_id: Mapped[str | None]
    subject_id: Mapped[str | None]
    opening_id: Mapped[str | None]
    body: Mapped[str]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
