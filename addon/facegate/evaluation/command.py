"""``facegate evaluate``: measures the models on labeled folders."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
import sys
import tempfile

from facegate.errors import FaceGateError, InvalidError
from facegate.evaluation.as_html import to_html
from facegate.evaluation.as_json import to_json
from facegate.evaluation.as_text import to_text
from facegate.evaluation.instruments import open_instruments
from facegate.evaluation.labels import LabeledSet, Purpose, read_set
from facegate.evaluation.report import Report, measure_sets
from facegate.evaluation.site import add_site, read_site
from facegate.evaluation.siting import FNIR_NEAR, Goals, Siting
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of

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
            help="a labeled folder of this kind, not told by its labels",
        )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report with plots")
    parser.add_argument(
        "--references", type=_count, default=3, help="samples enrolled a subject (default 3)"
    )
    parser.add_argument(
        "--threshold", type=_cosine, help="cosine of a match (default: the site's, by --fpir)"
    )
    parser.add_argument(
        "--fpir",
        type=_share,
        default=1e-4,
        help="share of strangers' tracks that may be named, for the threshold (default 1e-4)",
    )
    parser.add_argument(
        "--margin", type=_cosine, default=0.08, help="lead over the runner-up (default 0.08)"
    )
    parser.add_argument(
        "--probes", type=_count, default=3, help="probes before a clip names (default 3)"
    )
    parser.add_argument(
        "--goal",
        action="append",
        default=[],
        metavar="[SET=]SHARE",
        help="what FNIR is to stay under at 96 pixels and more (default 0.05), of all or of a set",
    )
    parser.add_argument(
        "--models",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="where model files are looked for first; may be given several times",
    )
    add_site(parser)
    parser.set_defaults(run=_evaluate)


async def _evaluate(chosen: argparse.Namespace) -> int:
    if chosen.site:
        sys.stdout.write(await read_site(chosen.data, chosen.url))
        return 0
    report = await asyncio.to_thread(_measure, chosen)
    sys.stdout.write(to_text(report))
    for path, write in ((chosen.json, to_json), (chosen.html, to_html)):
        if path is not None:
            await asyncio.to_thread(_write, path, write(report))
    return 0


def _measure(chosen: argparse.Namespace) -> Report:
    sets = _sets(chosen)
    if not sets:
        raise InvalidError("no labeled folder was named; `facegate evaluate --help` tells of them")

    siting = Siting(
        calibration_of(SFACE.id),
        chosen.fpir,
        chosen.threshold,
        chosen.margin,
        chosen.probes,
        chosen.references,
    )
    goals = _goals(chosen.goal, sets)
    with tempfile.TemporaryDirectory(prefix="facegate-") as cache:
        instruments = open_instruments(Path(cache), chosen.models)
        return measure_sets(sets, instruments, siting, goals, _tell)


def _goals(given: Sequence[str], sets: Sequence[LabeledSet]) -> Goals:
    """Return the goals; each given is a share, or a set's name with a share."""
    near, by_set = FNIR_NEAR, {}
    for each in given:
        name, separator, share = each.rpartition("=")
        try:
            limit = _share(share)
        except (ValueError, argparse.ArgumentTypeError) as err:
            raise InvalidError(
                f"--goal {each}: expected a share such as 0.02, or SET=0.02"
            ) from err
        if separator and name not in {labeled.name for labeled in sets}:
            raise InvalidError(f"--goal {each}: no set {name} was given")
        if separator:
            by_set[name] = limit
        else:
            near = limit
    return Goals(near, by_set)


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


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected more than 0 and less than 1")
    return value


def _cosine(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 0 to 1")
    return value
