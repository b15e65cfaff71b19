"""The command ``facegate bench``: what to measure, and where the report goes."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
import shlex
import sys
from tempfile import TemporaryDirectory

from facegate.bench.cameras import Limits, measure_cameras
from facegate.bench.cast import cast_of
from facegate.bench.clip import ROUNDS, measure_clip
from facegate.bench.gallery import SIZES, measure_gallery
from facegate.bench.pairs import PAIRS, measure_pairs
from facegate.bench.people import Resident
from facegate.bench.quick import measure_quick
from facegate.bench.report import Section, as_json, as_markdown, report
from facegate.bench.rivals import Kind, Peer
from facegate.bench.scene import read_scene
from facegate.bench.soak import measure_soak
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.preparation import prepare
from facegate.face.weights import SFACE, YUNET
from facegate.identity.embed import Embedder

type Measure = Callable[[argparse.Namespace], Awaitable[Iterable[Section]]]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench`` with its parts; without one it is the short benchmark of this machine."""
    bench = commands.add_parser("bench", help="measure the engine on this machine")
    _measuring(bench, _quick)
    bench.add_argument("--clip", type=Path, help="a video with people, to measure with")
    bench.add_argument("--seconds", type=float, default=4.0, help="how long each row takes")
    parts = bench.add_subparsers(dest="bench", metavar="PART")
    peers = _part(parts, "peers", "detection and embedding beside other libraries", _peers)
    _takes_peers(peers)
    peers.add_argument("--clip", type=Path, help="a video with faces; without it, noise")
    peers.add_argument("--pairs", type=int, default=PAIRS, help="how many pairs are measured")
    clip = _part(parts, "clip", "a whole clip with people beside other libraries' loops", _clip)
    _takes_peers(clip)
    clip.add_argument("--clip", type=Path, required=True, help="a video with people")
    clip.add_argument("--models", type=Path, help="the folder of the liveness models")
    clip.add_argument("--rounds", type=int, default=ROUNDS, help="how many pairs are measured")
    _cameras_part(parts)
    soak = _part(parts, "soak", "four clip cameras at full load: what grows", _soak)
    soak.add_argument("--minutes", type=float, default=30.0, help="how long")
    soak.add_argument("--clip", type=Path, action="append", required=True, help="a video to loop")
    soak.add_argument("--models", type=Path, help="the folder of the liveness models")
    _takes_residents(soak)
    gallery = _part(parts, "gallery", "exact search, time and memory", _gallery)
    gallery.add_argument("--templates", type=int, action="append", help="sizes to measure")
    gallery.add_argument("--searches", type=int, default=200, help="how many in each size")


def _cameras_part(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    cameras = _part(parts, "cameras", "an engine with the cameras of an options file", _cameras)
    cameras.add_argument("--options", type=Path, required=True, help="the options file (JSON)")
    cameras.add_argument("--seconds", type=float, default=60.0, help="how long")
    cameras.add_argument("--title", default="Cameras", help="what the report calls it")
    cameras.add_argument(
        "--baseline", action="store_true", help="first decode the watched streams and no more"
    )
    _takes_residents(cameras)
    for name, text in (
        ("above-decode", "target: cores above bare decoding"),
        ("cores", "target: cores in all"),
        ("rss-mb", "target: peak memory"),
        ("unlock-ms", "target: p95 from a face's arrival to an open door"),
    ):
        cameras.add_argument(f"--max-{name}", type=float, help=text)


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    measure: Measure,
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text)
    _measuring(parser, measure)
    return parser


def _measuring(parser: argparse.ArgumentParser, measure: Measure) -> None:
    parser.add_argument("--json", type=Path, help="also write the report to this file")
    parser.set_defaults(run=_run, measure=measure)


def _takes_peers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--peer",
        type=_peer,
        action="append",
        default=[],
        metavar="KIND=PYTHON",
        help=f"{', '.join(Kind)}, and the interpreter of its environment; may be repeated",
    )


def _takes_residents(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--resident",
        type=Path,
        action="append",
        nargs="+",
        default=[],
        metavar="PICTURE",
        help="pictures of one person to enroll; may be repeated",
    )


def _peer(text: str) -> Peer:
    kind, _, python = text.partition("=")
    if kind not in list(Kind) or not python:
        raise argparse.ArgumentTypeError(f"expected KIND=PYTHON with one of {', '.join(Kind)}")
    return Peer(Kind(kind), Path(python))


def _residents(chosen: argparse.Namespace) -> tuple[Resident, ...]:
    return tuple(
        Resident(f"resident {number}", tuple(files))
        for number, files in enumerate(chosen.resident, start=1)
    )


async def _run(chosen: argparse.Namespace) -> int:
    sections = tuple(await chosen.measure(chosen))
    found = report(shlex.join(["facegate", *sys.argv[1:]]), sections)
    sys.stdout.write(as_markdown(found))
    if chosen.json is not None:
        await asyncio.to_thread(chosen.json.write_text, as_json(found), encoding="utf-8")
    return 0


async def _quick(chosen: argparse.Namespace) -> Iterable[Section]:
    return await measure_quick(chosen.clip, chosen.seconds)


async def _peers(chosen: argparse.Namespace) -> Iterable[Section]:
    with TemporaryDirectory(prefix="facegate-bench-") as held:
        cache = Path(held)
        scene = await asyncio.to_thread(read_scene, chosen.clip, _detector(cache))
        return [await measure_pairs(tuple(chosen.peer), scene, cache, chosen.pairs)]


async def _clip(chosen: argparse.Namespace) -> Iterable[Section]:
    with TemporaryDirectory(prefix="facegate-bench-") as held:
        cache = Path(held)
        embedder = Embedder(open_session(prepare(SFACE, cache)), SFACE.id)
        cast = await asyncio.to_thread(cast_of, chosen.clip, _detector(cache), embedder)
    peers = tuple(chosen.peer)
    return [await measure_clip(chosen.clip, cast, peers, chosen.models, chosen.rounds)]


async def _cameras(chosen: argparse.Namespace) -> Iterable[Section]:
    limits = Limits(
        chosen.max_above_decode, chosen.max_cores, chosen.max_rss_mb, chosen.max_unlock_ms
    )
    return [
        await measure_cameras(
            chosen.options,
            _residents(chosen),
            chosen.seconds,
            limits,
            chosen.title,
            baseline=chosen.baseline,
        )
    ]


async def _soak(chosen: argparse.Namespace) -> Iterable[Section]:
    def tell(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    residents = _residents(chosen)
    return [await measure_soak(chosen.clip, residents, chosen.minutes, chosen.models, tell)]


async def _gallery(chosen: argparse.Namespace) -> Iterable[Section]:
    return [await measure_gallery(chosen.templates or SIZES, chosen.searches)]


def _detector(cache: Path) -> FaceDetector:
    return FaceDetector(open_session(prepare(YUNET, cache)))
