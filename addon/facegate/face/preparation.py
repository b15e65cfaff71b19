"""Gets models ready to run: finds the file, prepares its graph once and keeps that.

Graphs are prepared in a process of their own: what it takes for that, 15 MB and ten times as much
for a while, is not held for the engine's life.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
import hashlib
import logging
import multiprocessing
import os
from pathlib import Path
import tempfile

from facegate.errors import ModelError
from facegate.face.weights import REINSTALL, Model, Source, find, load
from facegate.protocol import ModelProblem

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A graph as serialized ONNX, the file it was made of, and where it is kept, if it is."""

    graph: bytes
    source: Source
    kept: Path | None


def prepare(model: Model, cache: Path, folders: Sequence[Path] = ()) -> bytes:
    """Return the runnable graph of ``model`` as serialized ONNX, see ``get_ready``."""
    return get_ready(model, cache, folders).graph


def get_ready(model: Model, cache: Path, folders: Sequence[Path] = ()) -> Prepared:
    """Find a model's file and prepare it; raises ``ModelError``.

    A graph whose sha256 the registry names is kept in the folder ``cache``, where a cut or altered
    one is noticed and made anew. A cache that cannot be written costs time, not the start.
    """
    source = find(model, folders)
    expected = source.file.prepared
    if expected is None:
        return Prepared(_runnable(source.content, model), source, None)
    path = cache / f"{model.name}-{expected[:8]}.graph"
    if (graph := _read_cache(path, expected)) is not None:
        return Prepared(graph, source, path)
    graph = _runnable(source.content, model)
    if (found := hashlib.sha256(graph).hexdigest()) != expected:
        raise ModelError(
            f"model {model.name}: preparing {source.path} gave another graph than it must (sha256"
            f" expected {expected}, found {found}); {REINSTALL}",
            ModelProblem.UNUSABLE,
        )
    return Prepared(graph, source, path if _write_cache(path, graph) else None)


def as_published(model: Model) -> bytes:
    """Return a model's graph made to run and not rewritten, serialized; raises ``ModelError``."""
    return _in_process(_folded, load(model), model)


def _runnable(source: bytes, model: Model) -> bytes:
    return _in_process(_prepared, source, model)


def _in_process(work: Callable[[bytes, Model], bytes], source: bytes, model: Model) -> bytes:
    # Forked, it would hold locks of threads that it does not have.
    spawning = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, spawning) as child:
            return child.submit(work, source, model).result()
    except (BrokenProcessPool, OSError) as err:
        raise ModelError(f"model {model.name}: the process that prepares it ended: {err}") from err


def _folded(source: bytes, model: Model) -> bytes:
    from facegate.face.graph import folded  # noqa: PLC0415  only here is its memory given back

    return folded(source, model)


def _prepared(source: bytes, model: Model) -> bytes:
    from facegate.face.graph import runnable  # noqa: PLC0415  only here is its memory given back

    return runnable(source, model)


def _read_cache(path: Path, expected: str) -> bytes | None:
    try:
        graph = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as err:
        _LOGGER.warning("cannot read the prepared model %s (%s); preparing it again", path, err)
        return None
    if hashlib.sha256(graph).hexdigest() != expected:
        _LOGGER.warning("the prepared model %s was altered or cut; preparing it again", path)
        return None
    return graph


def _write_cache(path: Path, graph: bytes) -> bool:
    """Keep a graph; return whether it could be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".graph-", delete=False) as file:
            try:
                file.write(graph)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as err:
        _LOGGER.warning("cannot keep the prepared model at %s: %s", path, err)
        return False
    return True
