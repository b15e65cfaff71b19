"""Opens onnxruntime sessions the one way this engine uses them."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort  # type: ignore[import-untyped]

from facegate.errors import ModelError


def open_session(model: bytes | Path) -> ort.InferenceSession:
    """Return a CPU session of a serialized ONNX graph or its file; raises ``ModelError``.

    A session computes on the calling thread alone and never spins: several sessions that each
    bring threads are slower than one thread each.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    source: bytes | str = model if isinstance(model, bytes) else str(model)
    name = "the prepared graph" if isinstance(model, bytes) else str(model)
    try:
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as err:  # onnxruntime's errors share no base but this
        raise ModelError(
            f"onnxruntime cannot open {name}: {err}; delete the model cache, and if it happens"
            " again reinstall the engine's pinned requirements"
        ) from err
