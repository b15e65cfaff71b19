"""Who, where, when: groups, permits by schedule, credentials, consent, passes, places, the chain.

Templates of version 1 are dropped: there is no consent on record for them, and they lie
unencrypted. Whoever is to be recognized is enrolled again, with a consent. Subjects and their
permits stay, and every event stays and is chained to the one before it.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import secrets

from alembic import op
import sqlalchemy as sa

from facegate.record.chain import GENESIS, ChainedEvent, link

revision = "0002"
down_revision = "0001"

_AT_ONCE = 1000
_NUMBERS_EACH = 2


def upgrade() -> None:
    """Add what the office arranges, chain the events, forget the templates."""
    # The driver begins a transaction at the first change of a row: all or nothing is migrated.
    op.execute("UPDATE alembic_version SET version_num = version_num")
    _move_people()
    _add_office()
    _add_places()
    _chain_events()


def _move_people() -> None:
    connection = op.get_bind()
    subjects = connection.execute(
        sa.text("SELECT id, name, kind, created_at FROM subjects ORDER BY created_at, id")
    ).all()
    permits = connection.execute(
        sa.text(
            "SELECT subject_id, door_id, direction, valid_from, valid_until FROM permits"
            " ORDER BY id"
        )
    ).all()
    # In this order, because a table that is dropped takes along what refers to it.
    for table in ("templates", "permits", "subjects"):
        op.drop_table(table)
    _create_subjects()
    _create_permits()
    _create_templates()
    numbers = _numbers(len(subjects))
    for row, number in zip(subjects, numbers, strict=True):
        connection.execute(
            sa.text(
                "INSERT INTO subjects (id, name, kind, created_at, number)"
                " VALUES (:id, :name, :kind, :created_at, :number)"
            ),
            {**row._mapping, "number": number},  # noqa: SLF001  SQLAlchemy's public name
        )
    for row in permits:
        connection.execute(
            sa.text(
                "INSERT INTO permits (subject_id, door_id, direction, valid_from, valid_until)"
                " VALUES (:subject_id, :door_id, :direction, :valid_from, :valid_until)"
            ),
            dict(row._mapping),  # noqa: SLF001  SQLAlchemy's public name
        )


def _numbers(count: int) -> list[str]:
    """Return numbers of 4 digits or more; those that begin with 9 are for visitor passes."""
    low = 1000
    while 9 * low - low < _NUMBERS_EACH * count:
        low *= 10
    return [str(number) for number in secrets.SystemRandom().sample(range(low, 9 * low), count)]


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=True)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=null)


def _real(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=null)


def _subject(*, primary: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(
        "subject_id",
        sa.String(),
        sa.ForeignKey("subjects.id", ondelete="CASCADE"),
        primary_key=primary,
        nullable=null,
    )


def _group(*, primary: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(
        "group_id",
        sa.String(),
        sa.ForeignKey("groups.id", ondelete="CASCADE"),
        primary_key=primary,
        nullable=null,
    )


def _create_subjects() -> None:
    op.create_table(
        "subjects",
        _id(),
        _text("name"),
        _text("kind"),
        _real("created_at"),
        _text("number"),
        _text("external_id", null=True),
        _text("unit", null=True),
        _text("language", null=True),
        _text("birth_date", null=True),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("external_id"),
    )
    op.create_table("groups", _id(), _text("name"), sa.UniqueConstraint("name"))


def _create_permits() -> None:
    op.create_table(
        "permits",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        _subject(null=True),
        _group(null=True),
        _text("door_id"),
        _text("direction", null=True),
        _text("schedule_id", null=True),
        _real("valid_from", null=True),
        _real("valid_until", null=True),
    )
    op.create_index("ix_permits_subject_id", "permits", ["subject_id"])
    op.create_index("ix_permits_group_id", "permits", ["group_id"])


def _create_templates() -> None:
    op.create_table(
        "templates",
        _id(),
        _subject(),
        _text("model_id"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("photo", sa.LargeBinary(32), nullable=False),
        _real("created_at"),
    )
    op.create_index("ix_templates_subject_id", "templates", ["subject_id"])


def _add_office() -> None:
    op.create_table("members", _subject(primary=True), _group(primary=True))
    op.create_index("ix_members_group_id", "members", ["group_id"])
    op.create_table(
        "guardians",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        _subject(),
        _text("name"),
        _text("notify", null=True),
    )
    op.create_index("ix_guardians_subject_id", "guardians", ["subject_id"])
    op.create_table("approvals", _subject(primary=True), _text("state"), _real("until", null=True))
    op.create_table(
        "credentials",
        _id(),
        _subject(),
        _text("kind"),
        _text("secret"),
        _text("duress", null=True),
        _real("valid_until", null=True),
        _real("created_at"),
        sa.UniqueConstraint("secret"),
    )
    op.create_index("ix_credentials_subject_id", "credentials", ["subject_id"])
    op.create_table("retirements", _group(primary=True), _id("kind"), _real("at"))
    op.create_table(
        "consents",
        _id(),
        _subject(),
        _text("text_version"),
        _text("purpose"),
        _text("language"),
        _text("signer"),
        _real("given_at"),
        _text("guardian", null=True),
        _real("withdrawn_at", null=True),
    )
    op.create_index("ix_consents_subject_id", "consents", ["subject_id"])


def _add_places() -> None:
    op.create_table(
        "passes",
        _id(),
        _text("name"),
        _text("made_by"),
        _text("door_ids"),
        _real("valid_from"),
        _real("valid_until"),
        sa.Column("max_uses", sa.Integer(), nullable=False),
        _text("nonce_digest"),
        _text("number"),
        _text("pin_hash"),
        _text("unit", null=True),
        sa.Column("used", sa.Integer(), nullable=False),
        _real("revoked_at", null=True),
        sa.UniqueConstraint("number"),
    )
    op.create_table("presence", _subject(primary=True), _id("area_id"), _real("since"))
    op.create_table("sightings", _subject(primary=True), _real("at"), _text("door_id"))
    op.create_table("head_counts", _id("area_id"), sa.Column("heads", sa.Integer(), nullable=False))
    op.create_table(
        "pictures",
        _id("kind"),
        _id("ref"),
        _subject(null=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _real("at"),
        _real("until"),
    )
    op.create_index("ix_pictures_subject_id", "pictures", ["subject_id"])
    op.create_index("ix_pictures_until", "pictures", ["until"])
    op.create_table("door_modes", _id("door_id"), _text("mode"))


def _chain_events() -> None:
    connection = op.get_bind()
    op.drop_index("ix_events_kind_ref", "events")
    op.rename_table("events", "events_of_version_1")
    events = op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=True),
        _real("at"),
        _text("kind"),
        _text("ref"),
        _text("door_id", null=True),
        _text("subject_id", null=True),
        _text("opening_id", null=True),
        _text("body"),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
    )
    seq, chained = 0, GENESIS
    while rows := connection.execute(
        sa.text(
            "SELECT seq, at, kind, ref, door_id, subject_id, opening_id, body"
            " FROM events_of_version_1 WHERE seq > :seq ORDER BY seq LIMIT :most"
        ),
        {"seq": seq, "most": _AT_ONCE},
    ).all():
        values = []
        for row in rows:
            seq, chained = row.seq, link(chained, ChainedEvent(*row))
            values.append({**row._mapping, "hash": chained})  # noqa: SLF001  a public name
        op.bulk_insert(events, values)
    op.drop_table("events_of_version_1")
    op.create_index("ix_events_kind_ref", "events", ["kind", "ref"])
    op.create_index("ix_events_subject_id", "events", ["subject_id"])
    op.create_index("ix_events_at", "events", ["at"])
    # Unsigned, because no key is at hand here: the first event after it is signed.
    connection.execute(
        sa.text("INSERT INTO site (key, value) VALUES ('audit_head', :head)"),
        {"head": f"{seq}:{chained.hex()}:"},
    )
