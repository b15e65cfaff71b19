"""What the command line does besides running the engine: records, keys and backups at rest."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
import getpass
from pathlib import Path
import sys

from facegate.errors import InvalidError
from facegate.record.audit import verify_database
from facegate.record.backup import backup, database_of
from facegate.record.chain import Verification
from facegate.record.export import EventFilter, ExportFormat, export_events
from facegate.record.recovery import protect, recover
from facegate.record.restore import needs_passphrase, restore
from facegate.record.vault import KEY_FILE, KEYS, Vault

type Command = Callable[[argparse.Namespace], Awaitable[int]]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands that work on a data folder."""
    audit = commands.add_parser("audit", help="check or take out the records")
    audits = audit.add_subparsers(dest="audit", required=True)
    _command(audits, "verify", "find an edited, deleted, inserted or reordered row", _verify)
    export = _command(audits, "export", "write events to standard output", _export)
    export.add_argument("--format", choices=list(ExportFormat), default=ExportFormat.CSV)
    export.add_argument("--since", type=_moment, help="from this moment on (ISO 8601)")
    export.add_argument("--until", type=_moment, help="before this moment (ISO 8601)")
    export.add_argument("--door", help="a door's id")
    export.add_argument("--subject", help="a subject's id")
    key = commands.add_parser("key", help="the key that templates are encrypted with")
    keys = key.add_subparsers(dest="key", required=True)
    _command(
        keys, "protect", "write recovery.json, from which a passphrase gives the key", _protect
    )
    _command(keys, "recover", "write the key again from recovery.json", _recover)
    saving = _command(commands, "backup", "save the records, sealed with the recovery", _backup)
    saving.add_argument("file", type=Path, help="the file to write")
    saving.add_argument(
        "--plain", action="store_true", help="write a zip in which names and events lie open"
    )
    restoring = _command(commands, "restore", "put a backup in place of the records", _restore)
    restoring.add_argument("file", type=Path, help="the file to read")
    restoring.add_argument(
        "--replace", action="store_true", help="delete the records that are there"
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    run: Command,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text)
    parser.add_argument("--data", type=Path, required=True, help="the engine's data folder")
    parser.set_defaults(run=run)
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.astimezone(UTC)


async def _verify(chosen: argparse.Namespace) -> int:
    vault = _vault_of(chosen.data)
    found = await verify_database(database_of(chosen.data), vault)
    print(_sentence(found))
    return 0 if found.ok else 1


async def _export(chosen: argparse.Namespace) -> int:
    wanted = EventFilter(chosen.since, chosen.until, chosen.door, chosen.subject)
    kind = ExportFormat(chosen.format)
    async for chunk in export_events(database_of(chosen.data), kind, wanted):
        sys.stdout.write(chunk)
    return 0


async def _protect(chosen: argparse.Namespace) -> int:
    passphrase = _passphrase()
    if sys.stdin.isatty() and getpass.getpass("Once more: ") != passphrase:
        raise InvalidError("the two passphrases differ")
    protect(chosen.data, passphrase)
    print("recovery.json is written: keep the passphrase where the backups are not")
    return 0


async def _recover(chosen: argparse.Namespace) -> int:
    recover(chosen.data, _passphrase())
    print("the key is written again")
    return 0


async def _backup(chosen: argparse.Namespace) -> int:
    await backup(chosen.data, chosen.file, plain=chosen.plain)
    if chosen.plain:
        print(
            f"{chosen.file}: saved; names and events lie open in it, whoever has the file reads"
            " them: keep it where only you can",
            file=sys.stderr,
        )
    else:
        print(f"{chosen.file}: saved; it opens with the recovery passphrase")
    return 0


async def _restore(chosen: argparse.Namespace) -> int:
    needed = await needs_passphrase(chosen.file, chosen.data)
    passphrase = _passphrase() if needed else None
    restored = await restore(
        chosen.file, chosen.data, replace=chosen.replace, passphrase=passphrase
    )
    print(f"the records of {restored.made_at.isoformat(timespec='minutes')} are in place")
    if restored.key_written:
        print("the key is written again")
    if not restored.signature_checked:
        print("the key is not there: facegate key recover writes it again")
    return 0


def _vault_of(data: Path) -> Vault | None:
    """Return the key of a data folder, None where there is none to check signatures with."""
    if not (data / KEYS / KEY_FILE).exists():
        return None
    return Vault.open(data / KEYS, None)


def _passphrase() -> str:
    """Ask for the passphrase, or read it where nobody sits at a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass("Recovery passphrase: ")
    return sys.stdin.readline().rstrip("\n")


def _sentence(found: Verification) -> str:
    signed = "" if found.signatures_checked else " (signatures were not checked: no key here)"
    if found.ok:
        return f"{found.checked} events, none changed{signed}"
    where = "" if found.first_bad_seq is None else f", first at event {found.first_bad_seq}"
    return f"the record is not whole: {found.finding}{where}{signed}"
