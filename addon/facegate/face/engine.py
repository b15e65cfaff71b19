"""Opens onnxruntime sessions the one way this engine uses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
import os
from pathlib import Path

import onnxruntime as ort  # type: ignore[import-untyped]

from facegate.errors import ModelError

_AS_REQUESTED = 1  # extend by what is asked for, not by powers of two


def open_session(model: bytes | Path) -> ort.InferenceSession:
    """Return a CPU session of a serialized ONNX graph or its file; raises ``ModelError``.

    A session computes on the calling thread alone and never spins: several sessions that each
    bring threads are slower than one thread each. All share one arena of memory.
    """
    _share_arena()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A pattern would ask for the room of a whole run at once, and hold it apart for each session.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    name = "the prepared graph" if isinstance(model, bytes) else str(model)
    try:
        with _file(model) as path:
            return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as err:  # onnxruntime's errors share no base but this
        raise ModelError(
            f"onnxruntime cannot open {name}: {err}; delete the model cache, and if it happens"
            " again reinstall the engine's pinned requirements"
        ) from err


@cache
def _share_arena() -> None:
    """Have sessions keep their memory between runs, in one place.

    An arena a session would hold what never all of them need at once; none at all, and the system
    clears fresh pages for every run: detection took twice the time.
    """
    arena = ort.OrtArenaCfg({"arena_extend_strategy": _AS_REQUESTED})
    kind, memory = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, ort.OrtMemType.DEFAULT
    ort.create_and_register_allocator(ort.OrtMemoryInfo("Cpu", kind, 0, memory), arena)


@contextmanager
def _file(model: bytes | Path) -> Iterator[str | bytes]:
    """Give a graph as a file: of bytes a session would keep a second copy for its life.

    The file is in memory, so that what is opened is what was checked.
    """
    if isinstance(model, Path):
        yield str(model)
        return
    if not hasattr(os, "memfd_create"):
        yield model
        return
    descriptor = os.memfd_create("graph")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(model)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
