"""The models that are measured, opened as the engine opens them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facegate.domain import Detection, Image, MaskClassifier, Probe
from facegate.errors import ModelError
from facegate.face.align import align
from facegate.face.attack import AttackDetector, AttackNet
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.mask import MaskNet
from facegate.face.preparation import prepare
from facegate.face.quality import measure, weight
from facegate.face.weights import MASKNET, SFACE, YUNET
from facegate.identity.embed import Embedder
from facegate.models import ATTACK_NETS


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that could not be measured, and why."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Instruments:
    """Detector and embedder, and what else is there; for one thread."""

    detector: FaceDetector
    embedder: Embedder
    masks: MaskClassifier | Missing
    attacks: AttackDetector | Missing

    def probe(self, image: Image, face: Detection, sequence: int = 0, arrived: float = 0) -> Probe:
        """Return what the engine keeps of a face in a frame to tell whose it is."""
        crop = align(image, face.landmarks)
        quality = weight(measure(image, face, crop=crop))
        return Probe(sequence, arrived, face, self.embedder.embed(crop), quality=quality)


def open_instruments(cache: Path, folders: Sequence[Path] = ()) -> Instruments:
    """Open the models, looked for in ``folders`` first; prepared graphs are kept in ``cache``.

    Detector and embedder must be there, or ``ModelError`` is raised; others are ``Missing``.
    """

    def masks() -> MaskClassifier:
        return MaskNet(open_session(prepare(MASKNET, cache, folders)))

    def attacks() -> AttackDetector:
        return AttackDetector(
            [
                AttackNet(open_session(prepare(net, cache, folders)), scale)
                for net, scale in ATTACK_NETS
            ]
        )

    return Instruments(
        FaceDetector(open_session(prepare(YUNET, cache, folders))),
        Embedder(open_session(prepare(SFACE, cache, folders)), SFACE.id),
        _if_there(masks),
        _if_there(attacks),
    )


def _if_there[T](opened: Callable[[], T]) -> T | Missing:
    try:
        return opened()
    except ModelError as err:
        return Missing(str(err))
