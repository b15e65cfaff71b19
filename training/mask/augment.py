# ruff: noqa: INP001 (scripts, not a package)
"""Draws what the mask classifier is trained on from the crops at hand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, INPUT = 112, 64

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """A crop of 112 x 112 pixels in BGR and whether a mask is worn on it."""

    path: str
    crop: Image
    worn: bool


class Augment:
    """Draws what a door's camera may make of a crop, and of whose mouth it shows.

    Masked and bare faces of the published set come from different places. Exchanging the lower
    halves of two crops, and painting masks on bare ones, leaves the lower face as the only thing
    that tells the label.
    """

    def __init__(self, examples: list[Example], random: np.random.Generator) -> None:
        self._examples = examples
        self._random = random

    def __call__(self, example: Example) -> tuple[Image, bool]:
        """Return a picture of 64 x 64 pixels and its label."""
        crop, worn = self._compose(example)
        crop = self._move(crop)
        for chance, change in (
            (0.25, self._frame),
            (0.8, self._light),
            (0.3, grayed),
            (0.25, self._blur),
            (0.4, self._shrink),
            (0.35, self._noise),
            (0.35, self._compress),
        ):
            if self._chance(chance):
                crop = change(crop)
        return cv2.resize(crop, (INPUT, INPUT), interpolation=cv2.INTER_AREA), worn

    def _chance(self, share: float) -> bool:
        return bool(self._random.random() < share)

    def _between(self, low: float, high: float) -> float:
        return float(self._random.uniform(low, high))

    def _compose(self, example: Example) -> tuple[Image, bool]:
        if self._chance(0.3):
            donor = self._examples[self._random.integers(len(self._examples))]
            return self._exchange(example.crop, donor.crop), donor.worn
        if not example.worn and self._chance(0.25):
            return self._paint(example.crop)
        return example.crop, example.worn

    def _exchange(self, upper: Image, lower: Image) -> Image:
        """Put the lower face of one crop, from the bridge of the nose, under another's eyes."""
        if self._chance(0.5):
            lower = np.ascontiguousarray(lower[:, ::-1])
        rows, columns = np.mgrid[:SIDE, :SIDE]
        edge = self._between(56, 62) + self._between(-0.08, 0.08) * (columns - SIDE / 2)
        weight = np.clip((rows - edge) / self._between(2, 8), 0, 1)[..., None]
        return (upper * (1 - weight) + lower * weight).astype(np.uint8)

    def _paint(self, crop: Image) -> tuple[Image, bool]:
        """Paint cloth over nose and mouth, or hanging under the chin, where it is not worn."""
        worn = self._chance(0.75)
        top = self._between(54, 64) if worn else self._between(99, 106)
        half, bottom = self._between(34, 44), self._between(104, 118)
        middle = 56 + self._between(-4, 4)
        sag = self._between(2, 12)
        outline = np.array(
            [
                [middle - half, top + sag],
                [middle - half / 2, top + sag / 2],
                [middle, top],
                [middle + half / 2, top + sag / 2],
                [middle + half, top + sag],
                [middle + 0.9 * half, (top + sag + bottom) / 2 + 6],
                [middle + half / 2, bottom - 3],
                [middle, bottom],
                [middle - half / 2, bottom - 3],
                [middle - 0.9 * half, (top + sag + bottom) / 2 + 6],
            ]
        ) + self._random.normal(0, 1.2, (10, 2))
        shape = np.zeros((SIDE, SIDE), np.float32)
        cv2.fillPoly(shape, [outline.round().astype(np.int32)], 1.0, cv2.LINE_AA)
        shape = cv2.GaussianBlur(shape, (0, 0), self._between(0.4, 1.2))[..., None]
        return (crop * (1 - shape) + self._cloth() * shape).astype(np.uint8), worn

    def _cloth(self) -> Floats:
        """Return (112, 112, 3) of cloth: a color, folds, shading, maybe a print."""
        color = self._random.uniform(0, 255, 3)
        if self._chance(0.6):
            color = color.mean() + 0.25 * (color - color.mean())
        rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
        cloth = np.broadcast_to(color, (SIDE, SIDE, 3)).astype(np.float32)
        shade = self._between(-0.4, 0.4) * np.abs(columns - 56) / 56
        shade += self._between(-0.3, 0.3) * (rows - 80) / 32
        if self._chance(0.5):
            shade += self._between(0.02, 0.12) * np.sin(rows / self._between(1.5, 4))
        if self._chance(0.3):
            grain = self._random.integers(4, 24)
            print_ = self._random.normal(0, self._between(10, 60), (grain, grain, 3))
            cloth = cloth + cv2.resize(print_.astype(np.float32), (SIDE, SIDE))
        return np.clip(cloth * (1 + shade[..., None]), 0, 255).astype(np.float32)

    def _move(self, crop: Image) -> Image:
        if self._chance(0.5):
            crop = np.ascontiguousarray(crop[:, ::-1])
        turned = self._random.uniform(-9, 9)
        matrix = np.eye(3)
        matrix[:2] = cv2.getRotationMatrix2D((56, 66), turned, self._between(0.88, 1.13))
        matrix[:2, 2] += self._random.uniform((-8, -7), (8, 7))
        if self._chance(0.5):
            # Heads that turn or bow: narrower, shorter, nearer on one side.
            corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
            size = self._random.uniform((0.72, 0.78), (1.08, 1.12))
            seen = (corners - 56) * size + 56 + self._random.uniform(-9, 9, (4, 2))
            matrix = cv2.getPerspectiveTransform(corners, seen.astype(np.float32)) @ matrix
        border = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT)
        mode = border[self._random.integers(len(border))]
        return cv2.warpPerspective(crop, matrix, (SIDE, SIDE), borderMode=mode)

    def _frame(self, crop: Image) -> Image:
        """Cut sides off, as the frame's edge does."""
        left, right, top, bottom = self._random.integers(0, (22, 22, 22, 12))
        cut = np.zeros_like(crop)
        kept = slice(top, SIDE - bottom), slice(left, SIDE - right)
        cut[kept] = crop[kept]
        return cut

    def _light(self, crop: Image) -> Image:
        level = (crop / 255.0) ** self._between(0.6, 1.7)
        level = level * self._between(0.5, 1.25) * self._random.normal(1, 0.06, 3)
        if self._chance(0.3):
            rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
            angle = self._between(0, 2 * np.pi)
            slope = np.cos(angle) * columns + np.sin(angle) * rows
            level *= (1 + self._between(0, 0.5) * slope)[..., None]
        return np.clip(255 * level + self._between(-12, 12), 0, 255).astype(np.uint8)

    def _blur(self, crop: Image) -> Image:
        if self._chance(0.5):
            return cv2.GaussianBlur(crop, (0, 0), self._between(0.6, 2.5))
        size = int(self._random.integers(3, 10))
        streak = np.zeros((size, size), np.float32)
        streak[size // 2] = 1
        turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), self._between(0, 180), 1)
        streak = cv2.warpAffine(streak, turn, (size, size))
        return cv2.filter2D(crop, -1, streak / streak.sum())

    def _shrink(self, crop: Image) -> Image:
        """Take detail away as a face of 32 to 64 pixels in the frame has it."""
        side = int(self._random.integers(22, 64))
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)

    def _noise(self, crop: Image) -> Image:
        noise = self._random.normal(0, self._between(2, 18), crop.shape)
        return np.clip(crop + noise, 0, 255).astype(np.uint8)

    def _compress(self, crop: Image) -> Image:
        quality = int(self._random.integers(20, 90))
        _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(data, cv2.IMREAD_COLOR)


def grayed(crop: Image) -> Image:
    """Return a crop without colors, as cameras give it at night."""
    return cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
