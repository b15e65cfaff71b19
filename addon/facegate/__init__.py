"""FaceGate: a face opens a door, on site, with the reason told."""

import os

__version__ = "0.1.0"

# Searching and measuring take one thread each; BLAS would bring one for every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# onnxruntime reports to its maker over the network unless this is set before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
