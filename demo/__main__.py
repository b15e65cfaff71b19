"""The demo's command line: one story, told once or over and over."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
import fcntl
import functools
import json
import os
from pathlib import Path
import shutil
import signal
import sys
import time

from demo.engine import EngineError
from demo.home_client import HomeError
from demo.program import ROOT, ProgramError, free_port
from demo.screenshot import ScreenshotError, Viewer, viewing
from demo.stage import Stage
from demo.story import Outcome, Story, percentile

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

STARTED = "FACEGATE_DEMO_STARTED"
"""Set by scripts/demo: seconds since the epoch when it was called, before any set-up."""
CALLED_FROM = "FACEGATE_DEMO_CALLED_FROM"
"""Set by scripts/demo: the folder that relative paths are meant from."""

HOME_PORT = 8123
PAUSE_S = 4.0
INTERRUPTED = 130

_CACHE = ROOT / ".demo"
"""Where the scenes are kept from one run to the next."""
_tell = functools.partial(print, flush=True)


def main() -> int:
    """Run the demo; return 0 if the story came true, 130 if it was interrupted, else 1."""
    arguments = _parser().parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with (arguments.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell("the demo runs already, from this folder")
            return 1
        try:
            return asyncio.run(_interruptible(arguments))
        except asyncio.CancelledError:
            _tell("\nstopped; nothing is left running")
            return INTERRUPTED
        except (ProgramError, HomeError, EngineError, ScreenshotError, RuntimeError) as err:
            _tell(f"\nthe demo failed: {err}\nlogs: {arguments.folder / 'run'}")
            return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "scripts/demo", description="FaceGate with a real Home Assistant: a story in four acts."
    )
    parser.add_argument(
        "--once", action="store_true", help='play each act once, tap "Let in" too, and end'
    )
    parser.add_argument(
        "--rounds", type=int, default=1, help="with --once: how often the resident comes"
    )
    parser.add_argument("--json", type=_path, help="with --once: write what was measured here")
    parser.add_argument(
        "--screenshot", type=_path, help="with --once: save a picture of the dashboard here (PNG)"
    )
    parser.add_argument(
        "--clip", action="store_true", help="play the camera from a file, even if RTSP is there"
    )
    parser.add_argument(
        "--folder", type=_path, default=_CACHE, help="where records and logs go (%(default)s)"
    )
    return parser


async def _interruptible(arguments: argparse.Namespace) -> int:
    """Run until done or until the first Ctrl-C, SIGTERM or hang-up."""
    telling = asyncio.create_task(_run(arguments))
    loop = asyncio.get_running_loop()
    interrupted = False

    def stop() -> None:
        # Once: a second Ctrl-C must not cut short the stopping of what was started.
        nonlocal interrupted
        if not interrupted and not telling.done():
            interrupted = True
            _tell("\nstopping ...")
            telling.cancel()

    def signaled(*_: object) -> None:
        # A signal may come in the middle of printing, and printing does not nest.
        loop.call_soon_threadsafe(stop)

    # Not the loop's own handlers: those end with it, a moment before the process does.
    for number in _STOPPING:
        signal.signal(number, signaled)
    try:
        return await telling
    finally:
        # The interpreter gives up handlers, but not this, a moment before it ends.
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)


async def _run(arguments: argparse.Namespace) -> int:
    began = float(os.environ.get(STARTED) or time.time())
    run = arguments.folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    _tell("FaceGate demo: starting a camera, the engine and Home Assistant ...")
    stage = Stage(run, _CACHE, home_port=free_port(HOME_PORT), tell=_tell, clip=arguments.clip)
    async with stage:
        setup_s = round(time.time() - began, 1)
        _introduce(stage, setup_s)
        if not arguments.once:
            await _over_and_over(stage)
        story = Story(stage, _tell)
        await _once(stage, story, arguments)
        outcome = await story.finish()
        if arguments.json:
            report = outcome.json() | {
                "camera": stage.camera.kind,
                "ha_version": stage.home.version,
                "setup_s": setup_s,
            }
            arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return _conclude(outcome, run)


def _introduce(stage: Stage, setup_s: float) -> None:
    camera = stage.camera
    _tell(f"Ready after {setup_s:.0f} s.")
    _tell(
        f"  Home Assistant {stage.home.version}: {stage.home.url}"
        f"  (user {stage.home.login.username}, password {stage.home.login.password})"
    )
    if camera.why_clip:
        _tell(f"  The camera is a clip: {camera.why_clip}.")
    else:
        _tell(f"  The camera is a real RTSP stream (H.264, 1280x720): {camera.options['url']}")
    _tell(
        "  Liveness is judged by pictures and motion."
        if stage.models
        else "  Liveness is judged by motion alone: the models are not here (docs/models.md)."
    )
    _tell(f"  Logs and records: {stage.folder}")


async def _over_and_over(stage: Stage) -> None:
    """Tell the story until Ctrl-C."""
    _tell("  The story repeats until Ctrl-C.")
    story = Story(stage, _tell)
    while True:
        await story.resident()
        await asyncio.sleep(PAUSE_S)
        await story.photograph()
        await story.back_door()
        await asyncio.sleep(PAUSE_S)
        await story.stranger_waits_for_you()
        await asyncio.sleep(PAUSE_S)


async def _once(stage: Stage, story: Story, arguments: argparse.Namespace) -> None:
    for _ in range(max(1, arguments.rounds)):
        await story.resident()
    await story.photograph()
    await story.back_door()
    if arguments.screenshot is None:
        await story.stranger()
        return
    async with AsyncExitStack() as browser:
        view: Viewer = await browser.enter_async_context(
            viewing(stage.home.url, stage.home.tokens, shown="Visitor waiting")
        )

        async def look() -> None:
            await view.take(arguments.screenshot, shown="Let in")
            _tell(f"           The dashboard is in {arguments.screenshot}.")

        await story.stranger(look)


def _path(text: str) -> Path:
    return Path(os.environ.get(CALLED_FROM, ".")).absolute() / text


def _conclude(outcome: Outcome, run: Path) -> int:
    _tell("")
    if not outcome.came_true:
        _tell("The story did not come true:")
        for complaint in outcome.complaints:
            _tell(f"  {complaint}")
        _tell(f"  logs and records: {run}")
        return 1
    samples = outcome.arrival_to_unlock_ms
    _tell(
        "The story came true. From the first picture with the face to the open door:"
        f" p50 {percentile(samples, 50)} ms, p95 {percentile(samples, 95)} ms"
        f" ({len(samples)} {'arrival' if len(samples) == 1 else 'arrivals'})."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
