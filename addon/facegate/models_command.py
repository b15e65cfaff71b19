"""What the command line does with the files of the models: list, verify, fetch, prepare."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
import tempfile

from facegate.download import Progress, download
from facegate.errors import InvalidError, ModelError
from facegate.face.engine import open_session
from facegate.face.preparation import get_ready
from facegate.face.weights import MODELS, Model, ModelFile, Source, find
from facegate.models import DOWNLOADS, model_folders

_HEADINGS = ("model", "role", "licence", "bytes", "sha256", "prepared", "state", "file")
_DIGITS = 12
_PERCENT_STEP = 10

type Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a model: the file that serves, or why none does."""

    model: Model
    source: Source | None
    error: ModelError | None


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``facegate models``."""
    models = commands.add_parser("models", help="the files of the models that see faces")
    actions = models.add_subparsers(dest="models", required=True)
    for name, run, text in (
        ("list", _list, "name every model and where its file was found"),
        ("verify", _verify, "run every model once, besides"),
        ("fetch", _fetch, "download what is missing"),
        (
            "prepare",
            _prepare,
            "prepare every model for the engine, which else does it at its start",
        ),
    ):
        parser = actions.add_parser(name, help=text)
        parser.add_argument(
            "--folder", type=Path, help="the folder of the option models.folder, looked at first"
        )
        parser.add_argument("--data", type=Path, help="the engine's data folder")
        parser.set_defaults(run=run)


def look(folders: Sequence[Path], models: Iterable[Model] = MODELS) -> tuple[Finding, ...]:
    """Look for every model; none is opened."""
    return tuple(_look(model, folders) for model in models)


def table(findings: Iterable[Finding]) -> str:
    """Return the findings for people to read; what is not known of a model is a dash."""
    rows = [_HEADINGS, *(_row(finding) for finding in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


async def fetch(
    folder: Path, findings: Iterable[Finding], tell: Tell, base: str | None = None
) -> None:
    """Download into a folder what no place has; raises ``ModelError``.

    A file there that is not whole is replaced. ``base`` stands in for the published address up to
    the file's name.
    """
    for finding in findings:
        if finding.source is not None:
            continue
        file = next((file for file in finding.model.files if file.address is not None), None)
        if file is None or file.address is None:
            tell(str(finding.error))
            continue
        address = file.address if base is None else f"{base}/{file.name}"
        size = await download(address, folder / file.name, file.sha256, _told(file, tell))
        tell(f"{file.name}: {size} bytes, whole")


def _look(model: Model, folders: Sequence[Path]) -> Finding:
    try:
        return Finding(model, find(model, folders), None)
    except ModelError as err:
        return Finding(model, None, err)


def _row(finding: Finding) -> tuple[str, ...]:
    model, source = finding.model, finding.source
    file = source.file if source is not None else model.files[0]
    return (
        model.name,
        model.role,
        model.licence,
        str(file.size) if file.size is not None else "-",
        file.sha256[:_DIGITS],
        file.prepared[:_DIGITS] if file.prepared is not None else "-",
        finding.error.problem if finding.error is not None else "whole",
        str(source.path) if source is not None else "-",
    )


def _told(file: ModelFile, tell: Tell) -> Progress:
    """Return a progress that is told every tenth of the way."""
    told = 0

    def progress(done: int, total: int | None) -> None:
        nonlocal told
        if total and (percent := 100 * done // total) >= told + _PERCENT_STEP:
            told = percent
            tell(f"{file.name}: {percent} %")

    return progress


def _conclude(findings: Sequence[Finding]) -> int:
    print(table(findings))
    errors = [finding.error for finding in findings if finding.error is not None]
    for error in errors:
        print(error)
    return 1 if errors else 0


async def _list(chosen: argparse.Namespace) -> int:
    return _conclude(await asyncio.to_thread(look, model_folders(chosen.folder, chosen.data)))


async def _verify(chosen: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as cache:
        return _conclude(await asyncio.to_thread(_open_each, chosen, Path(cache)))


async def _prepare(chosen: argparse.Namespace) -> int:
    if chosen.data is None:
        raise InvalidError("--data: the folder where the engine looks for prepared graphs")
    return _conclude(await asyncio.to_thread(_open_each, chosen, chosen.data / DOWNLOADS))


async def _fetch(chosen: argparse.Namespace) -> int:
    folders = model_folders(chosen.folder, chosen.data)
    if not folders:
        raise InvalidError("--folder or --data: the folder to write to")
    try:
        await fetch(folders[0], look(folders), lambda text: print(text, file=sys.stderr))
    finally:
        status = _conclude(look(folders))
    return status


def _open_each(chosen: argparse.Namespace, cache: Path) -> tuple[Finding, ...]:
    """Prepare every model that is there, and open it as the engine does."""
    folders = model_folders(chosen.folder, chosen.data)
    findings = []
    for finding in look(folders):
        try:
            if finding.source is not None:
                open_session(get_ready(finding.model, cache, folders).graph)
            findings.append(finding)
        except ModelError as err:
            findings.append(Finding(finding.model, None, err))
    return tuple(findings)
