"""The landing before the front door, painted: what the demo's camera sees when nobody is there."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

type Image = NDArray[np.uint8]
type Color = tuple[int, int, int]
type Box = tuple[int, int, int, int]  # left, top, right, bottom

WIDTH, HEIGHT = 1280, 720

_WALL: Color = (176, 196, 206)
_PANEL: Color = (128, 140, 128)
_TRIM: Color = (206, 216, 220)
_FLOOR: Color = (96, 112, 128)
_DOOR: Color = (58, 82, 122)
_BRASS: Color = (96, 176, 206)
_SKIRTING_Y, _RAIL_Y = 560, 400


def paint() -> Image:
    """Return the empty scene: BGR, shape (720, 1280, 3)."""
    canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    canvas[:] = _WALL
    _wainscot(canvas)
    _floor(canvas)
    _front_door(canvas, left=150, right=430, top=96)
    _window(canvas, left=900, right=1130, top=90, bottom=330)
    lit = _light(canvas)
    return np.asarray(cv2.GaussianBlur(lit, (0, 0), 1.6), np.uint8)


def _fill(canvas: Image, box: Box, color: Color) -> None:
    left, top, right, bottom = box
    cv2.rectangle(canvas, (left, top), (right, bottom), color, cv2.FILLED)


def _shade(color: Color, factor: float) -> Color:
    blue, green, red = (min(255, round(value * factor)) for value in color)
    return blue, green, red


def _bevel(canvas: Image, box: Box, color: Color) -> None:
    """Draw a sunken panel lit from above."""
    left, top, right, bottom = box
    _fill(canvas, box, _shade(color, 0.72))
    _fill(canvas, (left + 5, top + 5, right, bottom), _shade(color, 1.18))
    _fill(canvas, (left + 5, top + 5, right - 5, bottom - 5), color)


def _wainscot(canvas: Image) -> None:
    _fill(canvas, (0, _RAIL_Y, WIDTH, _SKIRTING_Y), _PANEL)
    for left in range(-60, WIDTH, 180):
        panel = (left + 20, _RAIL_Y + 34, left + 160, _SKIRTING_Y - 26)
        _bevel(canvas, panel, _PANEL)
    _fill(canvas, (0, _RAIL_Y - 8, WIDTH, _RAIL_Y + 10), _TRIM)
    _fill(canvas, (0, _RAIL_Y + 10, WIDTH, _RAIL_Y + 13), _shade(_PANEL, 0.6))
    _fill(canvas, (0, _SKIRTING_Y - 14, WIDTH, _SKIRTING_Y + 8), _TRIM)


def _floor(canvas: Image) -> None:
    _fill(canvas, (0, _SKIRTING_Y + 8, WIDTH, HEIGHT), _FLOOR)
    vanishing = np.array([WIDTH / 2, 300.0])
    for index, bottom_x in enumerate(range(-1400, WIDTH + 1400, 200)):
        near = np.array([bottom_x, HEIGHT + 160.0])
        far = vanishing + (near - vanishing) * (_SKIRTING_Y + 8 - 300) / (HEIGHT + 160 - 300)
        cv2.line(
            canvas,
            (int(near[0]), int(near[1])),
            (int(far[0]), int(far[1])),
            _shade(_FLOOR, 0.86 if index % 2 else 0.8),
            2,
            cv2.LINE_AA,
        )
    for row_y in (584, 614, 656, 712):
        cv2.line(canvas, (0, row_y), (WIDTH, row_y), _shade(_FLOOR, 0.82), 2, cv2.LINE_AA)


def _front_door(canvas: Image, left: int, right: int, top: int) -> None:
    bottom = _SKIRTING_Y + 8
    _fill(canvas, (left - 26, top - 26, right + 26, bottom), _TRIM)
    _fill(canvas, (left - 4, top - 4, right + 4, bottom), _shade(_TRIM, 0.62))
    _fill(canvas, (left, top, right, bottom), _DOOR)
    grain = np.random.default_rng(7).normal(0, 3.0, (1, right - left, 1)).cumsum(axis=1)
    grain = np.clip(grain - grain.mean(), -14, 14)
    leaf = canvas[top:bottom, left:right].astype(np.float32) + grain
    canvas[top:bottom, left:right] = np.clip(leaf, 0, 255).astype(np.uint8)
    middle = (left + right) // 2
    for panel_top, panel_bottom in ((top + 30, top + 190), (top + 225, bottom - 30)):
        _bevel(canvas, (left + 28, panel_top, middle - 12, panel_bottom), _DOOR)
        _bevel(canvas, (middle + 12, panel_top, right - 28, panel_bottom), _DOOR)
    cv2.circle(canvas, (right - 16, top + 208), 9, _BRASS, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(canvas, (right - 18, top + 205), 3, (220, 240, 250), cv2.FILLED, cv2.LINE_AA)
    _fill(canvas, (middle - 20, top + 10, middle + 20, top + 26), _BRASS)


def _window(canvas: Image, left: int, right: int, top: int, bottom: int) -> None:
    _fill(canvas, (left - 20, top - 20, right + 20, bottom + 20), _TRIM)
    height = bottom - top
    sky = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    upper = np.array([232, 206, 176], np.float32)
    lower = np.array([240, 232, 222], np.float32)
    view = np.broadcast_to(upper + (lower - upper) * sky, (height, right - left, 3)).copy()
    noise = np.random.default_rng(3)
    for _ in range(70):
        center = (int(noise.integers(0, right - left)), int(noise.integers(height - 70, height)))
        green = (90 + int(noise.integers(0, 30)), 140 + int(noise.integers(0, 30)), 120)
        cv2.circle(view, center, int(noise.integers(12, 34)), green, cv2.FILLED)
    canvas[top:bottom, left:right] = cv2.GaussianBlur(view, (0, 0), 7).astype(np.uint8)
    middle_x, middle_y = (left + right) // 2, (top + bottom) // 2
    _fill(canvas, (middle_x - 5, top, middle_x + 5, bottom), _TRIM)
    _fill(canvas, (left, middle_y - 5, right, middle_y + 5), _TRIM)
    _fill(canvas, (left - 30, bottom + 20, right + 30, bottom + 32), _shade(_TRIM, 0.9))


def _light(canvas: Image) -> Image:
    """Light from a lamp above the middle and from the window, darker towards the corners."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    lamp = np.exp(-(((columns - 620) / 620) ** 2 + ((rows - 60) / 460) ** 2))
    window = np.exp(-(((columns - 1015) / 330) ** 2 + ((rows - 220) / 300) ** 2))
    gain = 0.56 + 0.42 * lamp + 0.16 * window
    warm = np.array([0.95, 1.0, 1.04], np.float32)
    lit = canvas.astype(np.float32) * gain[..., None] * warm
    return np.asarray(np.clip(lit, 0, 255), np.uint8)
