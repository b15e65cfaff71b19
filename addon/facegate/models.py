"""Opens the models of one site: what each is needed for, and what goes on without it."""

from __future__ import annotations

from pathlib import Path

from facegate.domain import MaskClassifier
from facegate.face.attack import AttackDetector, AttackNet
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.library import Library
from facegate.face.mask import MaskNet
from facegate.face.weights import MASKNET, MINIFASNET_V1SE, MINIFASNET_V2, SFACE, YUNET
from facegate.identity.embed import Embedder
from facegate.latency import Latencies
from facegate.register import DoorRules
from facegate.settings import Settings
from facegate.verdicts import Control, Requirement
from facegate.vision import Vision

DOWNLOADS = "models"
"""The folder for downloads and prepared graphs, in the data folder."""

ATTACK_NETS = ((MINIFASNET_V2, 2.7), (MINIFASNET_V1SE, 4.0))
"""The liveness nets, and how many times a face's box each was trained to look at."""


def model_folders(configured: Path | None, data: Path | None) -> tuple[Path, ...]:
    """Return where models are looked for first: the configured folder, then the downloads."""
    downloads = data / DOWNLOADS if data is not None else None
    return tuple(folder for folder in (configured, downloads) if folder is not None)


def open_vision(
    settings: Settings, data: Path, masks: MaskClassifier | None, latencies: Latencies
) -> tuple[Library, Vision | None]:
    """Open every model; no ``Vision`` without the models that find and know faces.

    What is wrong with a model is noted by the ``Library``. Without both liveness nets doors that
    ask for them open to no face; ``masks`` stand in for the model of masks. Prepared graphs are
    kept beside the downloads.
    """
    library = Library(data / DOWNLOADS, model_folders(settings.models.folder, data))
    detecting = library.open(YUNET, open_session)
    embedding = library.open(SFACE, open_session)
    wanted = any(_asks_for_attack_nets(door.rules) for door in settings.doors)
    nets = [
        AttackNet(session, scale)
        for model, scale in ATTACK_NETS
        if (session := library.open(model, open_session, wanted=wanted)) is not None
    ]
    # One net alone has other error rates than those that doors are set by.
    attacks = AttackDetector(nets) if len(nets) == len(ATTACK_NETS) else None
    masking = library.open(MASKNET, open_session)
    if masks is None and masking is not None:
        masks = MaskNet(masking)
    if detecting is None or embedding is None:
        return library, None
    embedder = Embedder(embedding, SFACE.id)
    return library, Vision(FaceDetector(detecting), embedder, masks, attacks, latencies)


def _asks_for_attack_nets(rules: DoorRules) -> bool:
    asked = (rules.requirements, *(rule.requirements for rule in rules.rules))
    return rules.liveness.model and any(
        requirements.get(Control.LIVENESS, Requirement.OFF) is not Requirement.OFF
        for requirements in asked
    )
