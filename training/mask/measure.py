# ruff: noqa: INP001 (scripts, not a package)
"""What the engine itself says about pictures of masked and bare faces.

``group`` tells which crops show the same picture or person, for ``train.py`` to split by;
``check`` measures finished weights on whole pictures the training never saw. Runs in the engine's
environment: ``PYTHONPATH=addon python training/mask/measure.py --help``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
import json
from pathlib import Path
import sys
import tempfile

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.domain import Image
from facegate.face.align import SIZE, TEMPLATE, align, similarity
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.mask import MaskNet
from facegate.face.preparation import prepare
from facegate.face.weights import SFACE, YUNET
from facegate.identity.embed import Embedder

PICTURES = {".jpg", ".jpeg", ".png"}
VIDEOS = {".mkv", ".mp4", ".mov"}

SAME_COSINE = 0.6
"""Similarity from which two crops are kept on one side of the split.

At 0.6 to 0.7 the pairs of the published set are the same person, or one picture blurred and
noised; no pair carries two labels.
"""

SAME_BITS = 4
"""Bits of 64 by which the perceptual hashes of one picture may differ."""

WORN = 0.5
THRESHOLDS = (0.363, 0.42, 0.5)

# A surgical mask on the 112 x 112 crop: over the nose, along the cheeks, under the chin.
OUTLINE = np.array(
    [[18, 66], [36, 64], [56, 57], [76, 64], [94, 66], [91, 92], [76, 108], [56, 112], [36, 108],
     [21, 92]], np.float64
)  # fmt: skip
CLOTH = (205, 170, 120)

type Vectors = NDArray[np.float32]


class Eyes:
    """The engine's detector and embedder, with its own model cache."""

    def __init__(self, cache: Path) -> None:
        self._detector = FaceDetector(open_session(prepare(YUNET, cache)))
        self._embedder = Embedder(open_session(prepare(SFACE, cache)), SFACE.id)

    def embed(self, crops: Iterable[Image]) -> Vectors:
        """Return (N, 128) vectors of unit length."""
        return np.stack([self._embedder.embed(crop) for crop in crops])

    def landmarks(self, image: Image) -> list[Vectors]:
        """Return the landmarks of every face, the largest first."""
        return [face.landmarks for face in self._detector.detect(image)]


def paint(image: Image, landmarks: Vectors) -> Image:
    """Return a copy on which the face with these landmarks wears a plain blue mask."""
    back = similarity(TEMPLATE.astype(np.float32), landmarks.astype(np.float64))
    outline = OUTLINE @ back[:, :2].T + back[:, 2]
    scale = float(np.hypot(back[0, 0], back[0, 1]))
    painted = image.copy()
    cv2.fillPoly(painted, [outline.round().astype(np.int32)], CLOTH, cv2.LINE_AA)
    for row in (74, 84, 94):
        pleat = np.array([[24, row], [56, row - 3], [88, row]]) @ back[:, :2].T + back[:, 2]
        color = tuple(round(0.85 * value) for value in CLOTH)
        points = [pleat.round().astype(np.int32)]
        cv2.polylines(painted, points, isClosed=False, color=color, thickness=max(1, round(scale)))
    return painted


def group(eyes: Eyes, data: Path, apart: Path | None) -> dict[str, int]:
    """Return the group of each crop by its path under ``data``.

    Crops that resemble a picture under ``apart`` are in group -1: in no part of the split.
    """
    paths = pictures(data)
    crops = [read(path) for path in paths]
    held = [] if apart is None else [crop for _, crop in faces(eyes, pictures(apart))]
    links = alike(eyes, [*crops, *held])
    parents = list(range(len(crops)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for one, other in np.argwhere(np.triu(links[: len(crops), : len(crops)], 1)):
        parents[root(int(one))] = root(int(other))
    barred = {root(int(i)) for i in np.flatnonzero(links[: len(crops), len(crops) :].any(axis=1))}
    roots = [root(index) for index in range(len(crops))]
    return {
        path.relative_to(data).as_posix(): -1 if own in barred else own
        for path, own in zip(paths, roots, strict=True)
    }


def alike(eyes: Eyes, crops: list[Image]) -> NDArray[np.bool_]:
    """Return (N, N): whether two crops show one face or picture, mirrored or not."""
    mirrored = [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
    vectors, others = eyes.embed(crops), eyes.embed(mirrored)
    cosines = np.maximum(vectors @ vectors.T, vectors @ others.T)
    near = np.asarray(cosines >= SAME_COSINE)
    bits, flipped = hashes(crops), hashes(mirrored)
    for index, own in enumerate(bits):
        distance = np.minimum((bits != own).sum(axis=1), (flipped != own).sum(axis=1))
        near[index] |= distance <= SAME_BITS
    return np.asarray(near | near.T)


def hashes(crops: list[Image]) -> NDArray[np.bool_]:
    """Return (N, 64) perceptual hashes: the signs of a crop's slow waves about their median."""
    rows = []
    for crop in crops:
        gray = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), (32, 32))
        waves = np.asarray(cv2.dct(gray.astype(np.float32)), np.float32)[:8, :8].ravel()
        rows.append(waves > np.median(waves))
    return np.array(rows)


def check(eyes: Eyes, net: MaskNet, fixtures: Path) -> dict[str, object]:
    """Return the figures of the model card, of the folders that ``fixtures`` has."""
    masks = {
        label: [net.worn(crop) for _, crop in faces(eyes, pictures(fixtures / "masks" / label))]
        for label in ("with_mask", "without_mask")
    }
    bare = {
        name: worn_in(net, (crop for _, crop in faces(eyes, pictures(fixtures / name))))
        for name in ("london", "lfw10", "azure_adults")
    }
    videos = {
        path.name: worn_in(net, moving(eyes, path))
        for path in sorted((fixtures / "videos").iterdir())
        if path.suffix in VIDEOS
    }
    return {
        "masks": {
            "with_mask": len(masks["with_mask"]),
            "with_mask_taken_for_bare": sum(score < WORN for score in masks["with_mask"]),
            "without_mask": len(masks["without_mask"]),
            "without_mask_taken_for_masked": sum(s >= WORN for s in masks["without_mask"]),
        },
        "bare_faces": bare,
        "bare_videos": videos,
        "recognition": {
            name: recognition(eyes, net, fixtures / name) for name in ("london", "lfw10")
        },
    }


def worn_in(net: MaskNet, crops: Iterable[Image]) -> dict[str, int]:
    """Return how many faces there are, and how many are taken for masked."""
    counts = Counter(net.worn(crop) >= WORN for crop in crops)
    return {"faces": counts.total(), "taken_for_masked": counts[True]}


def recognition(eyes: Eyes, net: MaskNet, people: Path) -> dict[str, object]:
    """Return cosines of probes to references, bare and with a painted mask.

    ``people`` has a folder a person; its first picture by name is the reference, the others are
    the probes. A masked probe is detected anew, as a camera would.
    """
    owners: list[int] = []
    references: list[Image] = []
    probes: dict[str, list[Image]] = {"bare": [], "masked": []}
    for person, folder in enumerate(sorted(path for path in people.iterdir() if path.is_dir())):
        first, *others = faces(eyes, pictures(folder))
        references.append(first[1])
        for path, crop in others:
            image = read(path)
            covered = paint(image, eyes.landmarks(image)[0])
            found = eyes.landmarks(covered)
            if found:
                owners.append(person)
                probes["bare"].append(crop)
                probes["masked"].append(align(covered, found[0]))
    kept = eyes.embed(references)
    own = np.array(owners)[:, None] == np.arange(len(references))
    figures: dict[str, object] = {
        "people": len(references),
        "probes": len(owners),
        "masked_taken_for_bare": sum(net.worn(crop) < WORN for crop in probes["masked"]),
    }
    for kind, crops in probes.items():
        cosines = eyes.embed(crops) @ kept.T
        figures[kind] = {
            "genuine": spread(cosines[own]),
            "impostor": spread(cosines[~own]),
            "own_reference_is_nearest": int(own[np.arange(len(own)), cosines.argmax(axis=1)].sum()),
            "genuine_reaching": {str(t): share(cosines[own], t) for t in THRESHOLDS},
            "impostors_reaching": {str(t): share(cosines[~own], t) for t in THRESHOLDS},
        }
    return figures


def spread(values: Vectors) -> dict[str, float]:
    """Return the least, the fifth percentile, the median and the greatest value."""
    points = dict(zip(("min", "p5", "median", "max"), (0, 5, 50, 100), strict=True))
    return {name: round(float(np.percentile(values, at)), 3) for name, at in points.items()}


def share(values: Vectors, threshold: float) -> float:
    """Return the share of values that reach the threshold."""
    return round(float((values >= threshold).mean()), 4)


def faces(eyes: Eyes, paths: Iterable[Path]) -> Iterator[tuple[Path, Image]]:
    """Give every picture's largest face as an aligned crop; pictures without one are left out."""
    for path in paths:
        image = read(path)
        found = eyes.landmarks(image)
        if found:
            yield path, align(image, found[0])


def moving(eyes: Eyes, path: Path) -> Iterator[Image]:
    """Give the largest face of each frame of a video."""
    with av.open(str(path)) as video:
        for frame in video.decode(video=0):
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            found = eyes.landmarks(image)
            if found:
                yield align(image, found[0])


def pictures(folder: Path) -> list[Path]:
    """Return all pictures under a folder, in one order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)


def read(path: Path) -> Image:
    """Return a picture in BGR; ends the program where it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        sys.exit(f"{path}: not a picture")
    return np.asarray(image, np.uint8)


def main() -> None:
    """Read the command line and write the wanted JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    grouping = commands.add_parser("group", help="write {crop: group} of near duplicates")
    grouping.add_argument("data", type=Path, help=f"{SIZE}x{SIZE} crops in mask/ and no_mask/")
    grouping.add_argument("out", type=Path)
    grouping.add_argument("--apart", type=Path, help="whole pictures kept for the check")
    checking = commands.add_parser("check", help="write the figures of finished weights")
    checking.add_argument("weights", type=Path)
    checking.add_argument(
        "fixtures", type=Path, help="masks/, london/, lfw10/, azure_adults/, videos/"
    )
    checking.add_argument("out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        eyes = Eyes(Path(cache))
        result: object
        if options.command == "group":
            result = group(eyes, options.data, options.apart)
        else:
            net = MaskNet(open_session(options.weights))
            result = check(eyes, net, options.fixtures)
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
