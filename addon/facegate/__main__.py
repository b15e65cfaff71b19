"""The command line."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from pathlib import Path
import signal
import sys

from facegate import __version__, app_options
from facegate.app import place_of, run_app, supervisor_token
from facegate.assembly import running
from facegate.bench.command import add_commands as add_bench
from facegate.commands import add_commands
from facegate.enroll import NewPerson, enroll
from facegate.errors import FaceGateError
from facegate.evaluation.command import add_commands as add_evaluation
from facegate.importing.command import import_people
from facegate.memory import keep_small
from facegate.models_command import add_commands as add_models
from facegate.register import SubjectKind
from facegate.settings import load


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0, or 1 with the mistake on standard error."""
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(
        level=chosen.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # Everything that the engine writes is for its own user only, the database's helpers too.
    os.umask(0o077)
    try:
        status: int = asyncio.run(chosen.run(chosen))
    except FaceGateError as err:
        print(f"facegate: {err}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("facegate", description="A face opens a door, on site.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error")
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="watch the cameras and gate the doors")
    run.add_argument("--options", type=Path, required=True, help="the options file (JSON)")
    run.add_argument("--data", type=Path, required=True, help="the folder of the records")
    run.set_defaults(run=_run)
    app = commands.add_parser("app", help="run as a Home Assistant app, under its Supervisor")
    app.add_argument("--options", type=Path, default=Path("/data/options.json"))
    app.add_argument("--data", type=Path, default=Path("/data/facegate"))
    app.set_defaults(run=_app)
    person = commands.add_parser("enroll", help="enroll a person with a running engine")
    person.add_argument("--data", type=Path, required=True, help="the engine's data folder")
    person.add_argument("--url", default="http://127.0.0.1:8099", help="where the engine listens")
    person.add_argument("--name", required=True, help="the person's name")
    person.add_argument("--kind", default="resident", help=", ".join(SubjectKind))
    person.add_argument(
        "--door", action="append", required=True, help="a door's id; may be given several times"
    )
    person.add_argument("--consent-signer", required=True, help="who signed the consent")
    person.add_argument("--consent-version", required=True, help="of the text that was signed")
    person.add_argument("--consent-language", default="en", help="of that text, such as en")
    person.add_argument("--consent-purpose", default="access", help="what was agreed to")
    person.add_argument("--guardian", help="who signed for a child")
    person.add_argument(
        "--distinct", action="store_true", help="whoever looks alike is somebody else, a twin say"
    )
    person.add_argument("files", nargs="+", type=Path, help="photos, or one short video")
    person.set_defaults(run=_enroll)
    people = commands.add_parser("import", help="import a list of people with a running engine")
    people.add_argument("--data", type=Path, required=True, help="the engine's data folder")
    people.add_argument("--url", default="http://127.0.0.1:8099", help="where the engine listens")
    people.add_argument("csv", type=Path, help="the list (CSV)")
    people.add_argument("photos", type=Path, nargs="?", help="a folder or a zip of its photos")
    people.set_defaults(run=_import)
    add_commands(commands)
    add_models(commands)
    add_evaluation(commands)
    add_bench(commands)
    return parser


async def _run(chosen: argparse.Namespace) -> int:
    keep_small()
    settings = await asyncio.to_thread(load, chosen.options)
    stopped = _stopped_by_signals()
    async with running(settings, chosen.data):
        await stopped.wait()
    return 0


async def _app(chosen: argparse.Namespace) -> int:
    keep_small()
    token = supervisor_token()
    settings = await asyncio.to_thread(app_options.load, chosen.options)
    await run_app(settings, place_of(chosen), token, running, _stopped_by_signals())
    return 0


def _stopped_by_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _enroll(chosen: argparse.Namespace) -> int:
    person = NewPerson(
        chosen.name,
        chosen.kind,
        chosen.door,
        chosen.consent_version,
        chosen.consent_purpose,
        chosen.consent_language,
        chosen.consent_signer,
        chosen.guardian,
        chosen.distinct,
    )
    print(await enroll(chosen.data, chosen.url, person, chosen.files))
    return 0


async def _import(chosen: argparse.Namespace) -> int:
    def tell(text: str) -> None:
        print(text, file=sys.stderr)

    print(await import_people(chosen.data, chosen.url, chosen.csv, chosen.photos, tell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
