"""``facegate evaluate``: measures the models on labeled folders."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
import sys
import tempfile

from facegate.errors import FaceGateError, InvalidError
from facegate.evaluation.as_json import to_json
from facegate.evaluation.as_text import to_text
from facegate.evaluation.identification import Rules
from facegate.evaluation.instruments import open_instruments
from facegate.evaluation.labels import LabeledSet, Purpose, read_set
from facegate.evaluation.report import Report, measure_sets

_FORMAT = """\
A labeled folder has a labels.csv (UTF-8) with the columns path,label,sha256,note:

  path    of a picture (jpg, png, webp) or a clip (mp4, mkv, mov, avi, webm, ts, h264),
          relative to the folder
  label   in an identity set the subject's name, the same person wherever it stands;
          MULTI:a+b for a picture of several subjects, UNKNOWN:anything for people who are
          not to be named, NONE where nobody is to be seen.
          In an attack set live, or spoof_ and the species, such as spoof_print.
          In a mask set with_mask or without_mask.
  sha256  of the file, or empty; another file than the labeled one is refused
  note    words divided by ; or , that samples share (smiling; left) make groups of the report

What a set is for is told from its labels, or by --identity, --attack and --mask.
See docs/evaluation.md for what the figures mean.
"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``evaluate``."""
    parser = commands.add_parser(
        "evaluate",
        help="measure the models on labeled pictures",
        description="Measure recognition, liveness, mask and quality on labeled folders.",
        epilog=_FORMAT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="a labeled folder")
    for purpose in Purpose:
        parser.add_argument(
            f"--{purpose}",
            action="append",
            default=[],
            type=Path,
            metavar="FOLDER",
            help=f"a labeled folder of this kind, not told by its labels",
        )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report with plots")
    parser.add_argument(
        "--references", type=_count, default=3, help="samples enrolled a subject (default 3)"
    )
    parser.add_argument("--threshold", type=_cosine, help="cosine of a match (default 0.5)")
    parser.add_argument(
        "--margin", type=_cosine, default=0.08, help="lead over the runner-up (default 0.08)"
    )
    parser.add_argument(
        "--probes", type=_count, default=3, help="probes before a clip names (default 3)"
    )
    parser.add_argument(
        "--models",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="where model files are looked for first; may be given several times",
    )
    parser.set_defaults(run=_evaluate)


async def _evaluate(chosen: argparse.Namespace) -> int:
    report = await asyncio.to_thread(_measure, chosen)
    sys.stdout.write(to_text(report))
    for path, write in ((chosen.json, to_json),):
        if path is not None:
            await asyncio.to_thread(_write, path, write(report))
    return 0


def _measure(chosen: argparse.Namespace) -> Report:
    sets = _sets(chosen)
    if not sets:
        raise InvalidError("no labeled folder was named; `facegate evaluate --help` tells of them")

    def rules_for(subjects: int, templates: int) -> Rules:
        del subjects, templates
        threshold = 0.5 if chosen.threshold is None else chosen.threshold
        return Rules(threshold, "given", chosen.margin, chosen.probes, chosen.references)

    with tempfile.TemporaryDirectory(prefix="facegate-") as cache:
        instruments = open_instruments(Path(cache), chosen.models)
        return measure_sets(sets, instruments, rules_for, chosen.references, _tell)


def _sets(chosen: argparse.Namespace) -> list[LabeledSet]:
    sets = [read_set(folder) for folder in chosen.folders]
    for purpose in Purpose:
        sets += [read_set(folder, purpose) for folder in getattr(chosen, purpose)]
    names = [each.name for each in sets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidError(
            f"{', '.join(twice)}: two folders of this name; sets are told apart by their folders'"
            " names: rename one, or name it once"
        )
    return sets


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as err:
        raise FaceGateError(f"{path}: cannot be written: {err.strerror}") from err


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1 or more")
    return value


def _cosine(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 0 to 1")
    return value
