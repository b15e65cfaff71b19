# ruff: noqa: INP001 (a script, not a package)
"""Fits how alike faces of different people are to a model, from aligned crops of many people.

    python training/calibration/fit.py CROPS addon/facegate/identity/data/sface-2021dec.json

``CROPS`` is a folder of aligned crops (112 x 112 pixels), of whom is not said. README.md beside
this tells the method and what came of it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import json
import logging
from pathlib import Path
import tempfile

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage  # type: ignore[import-untyped]
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.spatial.distance import squareform  # type: ignore[import-untyped]
from scipy.special import expit, ndtr  # type: ignore[import-untyped]

from facegate.face.align import align
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.preparation import prepare
from facegate.face.weights import SFACE, YUNET
from facegate.identity.embed import Embedder

type Floats = NDArray[np.float64]
type Places = NDArray[np.intp]

SAME_PERSON = 0.35
"""Groups of pictures are one person's while their mean cosine is at least this."""

CERTAIN = 0.45
"""Up to here a pair of two groups is of two people; beyond, pairs are counted but not placed."""

ENOUGH_PAIRS = 10
BOOTSTRAPS = 200
CONFIDENCE = 0.95
LOWEST, STEP = -0.6, 0.01
SCORES = np.round(np.arange(0, 0.805, 0.01), 2)

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Scores of different people: two normal distributions, of people less and more alike."""

    share: float
    means: tuple[float, float]
    deviations: tuple[float, float]

    def above(self, scores: Floats) -> Floats:
        """Return the share of pairs above each score."""
        first, second = (
            ndtr((mean - scores) / deviation)
            for mean, deviation in zip(self.means, self.deviations, strict=True)
        )
        return np.asarray(self.share * first + (1 - self.share) * second)

    @property
    def parameters(self) -> Floats:
        """The parameters without bounds, for the search."""
        odds = np.log(self.share / (1 - self.share))
        return np.array([odds, *self.means, *np.log(self.deviations)])

    @classmethod
    def of(cls, parameters: Floats) -> Mixture:
        """Return the mixture with these parameters."""
        first, second = np.exp(parameters[3:])
        means = (float(parameters[1]), float(parameters[2]))
        return cls(float(expit(parameters[0])), means, (float(first), float(second)))


START = Mixture(0.7, (0.02, 0.11), (0.09, 0.11))


def embed(folder: Path) -> Floats:
    """Return the embeddings of a folder's crops, shape (crops, 128), in the order of names."""
    with tempfile.TemporaryDirectory() as cache:
        embedder = Embedder(open_session(prepare(SFACE, Path(cache))), SFACE.id)
    found = []
    for path in sorted(folder.iterdir()):
        crop = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if crop is None or crop.shape != (112, 112, 3):
            raise SystemExit(f"{path}: not a picture of 112 x 112 pixels")
        found.append(embedder.embed(np.asarray(crop, np.uint8)))
    return np.asarray(found, np.float64)


def people(cosines: Floats) -> list[Places]:
    """Return the pictures of each person, first those most like all of them.

    Groups are agglomerated by their mean cosine, which a chain of look-alikes does not raise.
    """
    distances = squareform(np.clip(1 - cosines, 0, None), checks=False)
    groups = fcluster(linkage(distances, "average"), 1 - SAME_PERSON, "distance")
    found = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        found.append(members[(-cosines[np.ix_(members, members)].mean(axis=1)).argsort()])
    return found


def fit(scores: Floats, start: Mixture = START) -> Mixture:
    """Return the most likely mixture, where of scores above ``CERTAIN`` only the number counts."""
    edges = np.append(np.arange(LOWEST, CERTAIN - STEP / 2, STEP), CERTAIN)
    counts = np.histogram(scores, edges)[0]
    beyond = np.count_nonzero(scores > CERTAIN)

    def unlikeliness(parameters: Floats) -> float:
        above = Mixture.of(parameters).above(edges)
        inside = np.maximum(-np.diff(above), 1e-300)
        likelihood = counts @ np.log(inside) + beyond * np.log(max(above[-1], 1e-300))
        return -float(likelihood)

    options = {"maxiter": 5000, "maxfev": 5000, "xatol": 1e-5, "fatol": 1e-3}
    found = minimize(unlikeliness, start.parameters, method="Nelder-Mead", options=options)
    return Mixture.of(found.x)


def between(cosines: Floats, drawn: Places) -> Floats:
    """Return the scores between the people drawn, of whom some may be drawn more than once."""
    first, second = np.triu_indices(len(drawn), 1)
    apart = drawn[first] != drawn[second]
    return np.asarray(cosines[drawn[first[apart]], drawn[second[apart]]])


def bound(cosines: Floats, chosen: Places, central: Mixture) -> Floats:
    """Return an upper bound of the share above each score, by drawing people anew."""
    dice = np.random.default_rng(1)
    curves = [
        fit(between(cosines, dice.choice(chosen, len(chosen))), central).above(SCORES)
        for _ in range(BOOTSTRAPS)
    ]
    return np.asarray(np.quantile(curves, CONFIDENCE, axis=0))


def extrapolated(cosines: Floats, chosen: Places, drawn: int) -> Floats:
    """Return what fits to few people foretell, as a share of what is counted among all.

    Shape (3, 3): the 10, 50 and 90 % quantiles at the scores 0.35, 0.40 and 0.45.
    """
    dice = np.random.default_rng(2)
    scores = np.array([0.35, 0.40, 0.45])
    all_pairs = between(cosines, chosen)
    counted = np.array([np.mean(all_pairs > score) for score in scores])
    foretold = [
        fit(between(cosines, dice.choice(chosen, drawn, replace=False))).above(scores) / counted
        for _ in range(100)
    ]
    return np.asarray(np.quantile(foretold, (0.1, 0.5, 0.9), axis=0))


def of_references(cosines: Floats, everybody: list[Places], held: int) -> float:
    """Return how much oftener a stranger reaches 0.40 by one of several references, not of one.

    That is ``held`` itself where references of one person are independent.
    """
    best, single = [], []
    for mine in everybody:
        if len(mine) >= held:
            strangers = [other[0] for other in everybody if other is not mine]
            scores = cosines[np.ix_(strangers, mine[:held])]
            best.append(scores.max(axis=1))
            single.append(scores.ravel())
    score = 0.40
    return float(np.mean(np.concatenate(best) > score) / np.mean(np.concatenate(single) > score))


def of_a_track(vectors: Floats, clip: Path, score: float) -> float:
    """Return how much oftener a score is reached by any search of a track than by one of them.

    Each search compares the mean of the frames so far, three or more of them, with all crops.
    """
    with tempfile.TemporaryDirectory() as cache:
        detector = FaceDetector(open_session(prepare(YUNET, Path(cache))))
        embedder = Embedder(open_session(prepare(SFACE, Path(cache))), SFACE.id)
    frames = cv2.VideoCapture(str(clip))
    seen = []
    while (read := frames.read())[0]:
        image = np.asarray(cv2.resize(read[1], None, fx=3, fy=3), np.uint8)
        seen += [
            embedder.embed(align(image, face.landmarks)) for face in detector.detect(image)[:1]
        ]
    means = np.cumsum(seen, axis=0)[2:]
    scores = means / np.linalg.norm(means, axis=1, keepdims=True) @ vectors.T
    return float(np.mean(scores.max(axis=0) > score) / np.mean(scores > score))


def main() -> None:
    """Fit, tell the figures, and write what the engine reads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crops", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--clip", type=Path, help="a video of one small face, for the attempts")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    vectors = embed(arguments.crops)
    cosines = vectors @ vectors.T
    everybody = people(cosines)
    chosen = np.asarray([mine[0] for mine in everybody])
    scores = between(cosines, chosen)
    central = fit(scores)
    upper = bound(cosines, chosen, central)
    _LOGGER.info("%d crops, %d people, %d pairs", len(vectors), len(chosen), len(scores))
    _LOGGER.info("%s", central)
    for score in (0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65):
        place = int(np.argmin(np.abs(SCORES - score)))
        fitted = float(central.above(SCORES)[place])
        counted = float(np.mean(scores > score))
        _LOGGER.info(
            "%.2f: %.1e counted, %.1e fitted, %.1e bound", score, counted, fitted, upper[place]
        )
    for drawn in (45, 100):
        _LOGGER.info("from %d people:\n%s", drawn, extrapolated(cosines, chosen, drawn).round(2))
    for held in (2, 3, 5):
        _LOGGER.info("%d references: %.2f", held, of_references(cosines, everybody, held))
    for score in (0.15, 0.20, 0.25) if arguments.clip else ():
        _LOGGER.info("a track at %.2f: %.2f", score, of_a_track(vectors, arguments.clip, score))
    calibration = {
        "models": [SFACE.id],
        "people": len(chosen),
        "pairs": len(scores),
        "counted_fmr": float(f"{ENOUGH_PAIRS / len(scores):.3g}"),
        "scores": SCORES.tolist(),
        "log10_fmr": np.log10(central.above(SCORES)).round(4).tolist(),
        "log10_fmr_bound": np.log10(upper).round(4).tolist(),
    }
    arguments.output.write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
