"""The tables. Moments are seconds since the Unix epoch in UTC; bodies are JSON."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""


class SiteRow(Base):
    """What the engine knows of itself: one row a key."""

    __tablename__ = "site"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SubjectRow(Base):
    """An enrolled person."""

    __tablename__ = "subjects"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    created_at: Mapped[float]


class PermitRow(Base):
    """A subject at a door; null means both directions, or no end."""

    __tablename__ = "permits"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    door_id: Mapped[str]
    direction: Mapped[str | None]
    valid_from: Mapped[float | None]
    valid_until: Mapped[float | None]


class TemplateRow(Base):
    """A reference template: 128 little-endian float32 of unit length."""

    __tablename__ = "templates"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(
        ForeignKey("subjects.id", ondelete="CASCADE"), index=True
    )
    model_id: Mapped[str]
    embedding: Mapped[bytes]
    created_at: Mapped[float]


class EventRow(Base):
    """One thing that happened; rows are added and never changed.

    ``ref`` is the decision, call or opening that the event belongs to. A granted decision names
    the opening that it causes (then both ids are the same) or joins.
    """

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_kind_ref", "kind", "ref"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[float]
    kind: Mapped[str]
    ref: Mapped[str]
    door_id: Mapped[str]
    subject_id: Mapped[str | None]
    opening_id: Mapped[str | None]
    body: Mapped[str]
