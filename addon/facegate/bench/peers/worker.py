"""A contestant's side of a contest: requests as JSON lines on standard input, answers likewise.

``python worker.py MODULE CLASS ARGUMENT...`` runs in any environment with numpy (and PyAV for
clips); the class, of a module beside this one, is a ``Contestant``. The first line it writes says
``ready`` and its versions; each request has the name of a task in ``do``; an answer is what the
task found, or ``error``.

=========  ==================================================  ================================
task       request                                             answer
=========  ==================================================  ================================
detect     ``picture`` (.npy, BGR), ``times``                  ``seconds`` (each), ``faces``
embed      ``crop`` (.npy, 112 x 112, BGR), ``times``          ``seconds`` (each), ``vector``
clip       ``clip``, ``people`` (name: .npy), ``every``        ``cpu_s``, ``wall_s``, ``frames``,
                                                               ``faces``, ``names``
=========  ==================================================  ================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
import json
import os
import resource
import sys
import time
from typing import Any, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray

type Image = NDArray[np.uint8]
type Vector = NDArray[np.floating[Any]]
type Task = Callable[[dict[str, Any]], dict[str, Any]]


class Contestant(Protocol):
    """A library that finds and compares faces, in one thread."""

    threshold: float
    """The ``likeness`` from which the library itself calls two faces one person."""

    def versions(self) -> dict[str, str]:
        """Return the versions of what computes."""
        ...

    def detect(self, image: Image) -> int:
        """Return how many faces a BGR picture shows, looked at in its own size."""
        ...

    def embed(self, crop: Image) -> Vector:
        """Return the embedding of an aligned face."""
        ...

    def look(self, image: Image) -> list[Vector]:
        """Return the embeddings of all faces of a BGR picture, the largest first."""
        ...

    def likeness(self, one: Vector, other: Vector) -> float:
        """Return how alike two faces are; more is more alike."""
        ...


def serve(out: TextIO, tasks: dict[str, Task], versions: dict[str, str]) -> None:
    """Answer requests on ``out``, from ``private_output``, until standard input ends."""
    _write(out, {"ready": True, "versions": versions})
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = tasks[request["do"]](request)
        except Exception as err:  # noqa: BLE001  the other side tells it and goes on
            answer = {"error": f"{type(err).__name__}: {err}"}
        _write(out, answer)


def tasks_of(contestant: Contestant) -> dict[str, Task]:
    """Return what a contestant can be asked for."""

    def detect(request: dict[str, Any]) -> dict[str, Any]:
        image = np.load(request["picture"])
        seconds, faces = timed(lambda: contestant.detect(image), request["times"])
        return {"seconds": seconds, "faces": faces}

    def embed(request: dict[str, Any]) -> dict[str, Any]:
        crop = np.load(request["crop"])
        seconds, vector = timed(lambda: contestant.embed(crop), request["times"])
        return {"seconds": seconds, "vector": np.asarray(vector, float).ravel().tolist()}

    def clip(request: dict[str, Any]) -> dict[str, Any]:
        return watch(contestant, request["clip"], request["people"], request["every"])

    return {"detect": detect, "embed": embed, "clip": clip}


def timed[T](work: Callable[[], T], times: int) -> tuple[list[float], T]:
    """Return how long each of some repetitions took, in seconds, and the last result."""
    seconds = []
    result = work()
    for _ in range(times):
        began = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - began)
    return seconds, result


def watch(contestant: Contestant, clip: str, people: dict[str, str], every: int) -> dict[str, Any]:
    """Look at each ``every``-th frame of a clip and name who is in it, as a simple program does."""
    known = {}
    for name, picture in people.items():
        faces = contestant.look(np.load(picture))
        if faces:
            known[name] = faces[0]
    names: set[str] = set()
    frames = faces_seen = 0
    began, cpu_began = time.perf_counter(), cpu_s()
    for image in decode(clip, every):
        frames += 1
        for face in contestant.look(image):
            faces_seen += 1
            likeness = {name: contestant.likeness(face, other) for name, other in known.items()}
            best = max(likeness, key=likeness.__getitem__, default=None)
            if best is not None and likeness[best] >= contestant.threshold:
                names.add(best)
    return {
        "cpu_s": cpu_s() - cpu_began,
        "wall_s": time.perf_counter() - began,
        "frames": frames,
        "faces": faces_seen,
        "names": sorted(names),
        "known": sorted(known),
    }


def decode(clip: str, every: int = 1) -> Iterator[Image]:
    """Yield each ``every``-th frame of a clip in BGR, decoded by one thread."""
    import av  # noqa: PLC0415  only a contest with a clip needs it

    with av.open(clip) as container:
        container.streams.video[0].thread_count = 1
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def cpu_s() -> float:
    """Return the user and system time of this process so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def private_output() -> TextIO:
    """Keep standard output for answers: what libraries print from now on is no answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _write(out: TextIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()


if __name__ == "__main__":
    answers = private_output()
    chosen: Contestant = getattr(import_module(sys.argv[1]), sys.argv[2])(*sys.argv[3:])
    serve(answers, tasks_of(chosen), chosen.versions())
