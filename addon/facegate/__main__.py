"""The command line."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from pathlib import Path
import signal
import sys

from facegate import __version__
from facegate.assembly import running
from facegate.enroll import enroll
from facegate.errors import FaceGateError
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
        if chosen.command == "run":
            asyncio.run(_run(chosen.options, chosen.data))
        else:
            print(
                asyncio.run(
                    enroll(
                        chosen.data, chosen.url, chosen.name, chosen.kind, chosen.door, chosen.files
                    )
                )
            )
    except FaceGateError as err:
        print(f"facegate: {err}", file=sys.stderr)
        return 1
    return 0


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
    person = commands.add_parser("enroll", help="enroll a person with a running engine")
    person.add_argument("--data", type=Path, required=True, help="the engine's data folder")
    person.add_argument("--url", default="http://127.0.0.1:8099", help="where the engine listens")
    person.add_argument("--name", required=True, help="the person's name")
    person.add_argument("--kind", default="resident", help="resident, staff, pupil, contractor")
    person.add_argument(
        "--door", action="append", required=True, help="a door's id; may be given several times"
    )
    person.add_argument("files", nargs="+", type=Path, help="photos, or one short video")
    return parser


async def _run(options: Path, data: Path) -> None:
    settings = await asyncio.to_thread(load, options)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with running(settings, data):
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
