"""The engine's own detector, embedder and gallery as a worker: python -m facegate.bench.own."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import sys
import time
from typing import Any

import numpy as np

from facegate.bench.peers.worker import Task, private_output, serve, timed
from facegate.bench.usage import read_usage
from facegate.domain import Template, Vector
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.preparation import as_published, prepare
from facegate.face.weights import SFACE, YUNET
from facegate.identity.embed import Embedder
from facegate.identity.gallery import Gallery
from facegate.memory import give_back

_VALUES = 128
_SEED = 4


def tasks(cache: Path) -> dict[str, Task]:
    """Return what can be asked: as ``peers.worker`` tells, and ``gallery``.

    ``embed`` with ``original`` uses the published graph, made to run and not rewritten.
    """
    detector = FaceDetector(open_session(prepare(YUNET, cache)))
    prepared = Embedder(open_session(prepare(SFACE, cache)), SFACE.id)
    original = Embedder(open_session(as_published(SFACE)), SFACE.id)

    def detect(request: dict[str, Any]) -> dict[str, Any]:
        image = np.load(request["picture"])
        seconds, faces = timed(lambda: detector.detect(image), request["times"])
        return {"seconds": seconds, "faces": len(faces)}

    def embed(request: dict[str, Any]) -> dict[str, Any]:
        crop = np.load(request["crop"])
        embedder = original if request.get("original") else prepared
        seconds, vector = timed(lambda: embedder.embed(crop), request["times"])
        return {"seconds": seconds, "vector": vector.tolist()}

    return {"detect": detect, "embed": embed}


def search(request: dict[str, Any]) -> dict[str, Any]:
    """Search a gallery of ``templates`` random ones ``times`` times; tell seconds and memory."""
    source = np.random.default_rng(_SEED)
    before = read_usage(os.getpid())
    gallery = Gallery(SFACE.id)
    gallery.replace(_random(source, request["templates"]))
    probes = [_unit(source) for _ in range(request["times"])]
    gallery.search(probes[0])
    give_back()  # as the engine does every few seconds
    held = read_usage(os.getpid())
    seconds = []
    for probe in probes:
        began = time.perf_counter()
        gallery.search(probe)
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds, "held_mb": held.rss_mb - before.rss_mb}


def _random(source: np.random.Generator, count: int) -> Iterator[Template]:
    """Yield templates of as many subjects: nothing in a search depends on what they look like."""
    for number in range(count):
        yield Template(str(number), str(number), SFACE.id, _unit(source))


def _unit(source: np.random.Generator) -> Vector:
    vector = source.standard_normal(_VALUES, np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def main() -> int:
    """Serve until standard input ends; the argument is the folder of prepared graphs."""
    out = private_output()
    if len(sys.argv) > 1:
        serve(out, tasks(Path(sys.argv[1])), {})
    else:
        serve(out, {"gallery": search}, {})
    return 0


if __name__ == "__main__":
    sys.exit(main())
