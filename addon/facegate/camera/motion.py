"""Tells whether anything moves before a camera, so that a still picture costs nothing more.

The detector is asked while something moves and for a moment after, and now and then without:
who was there before the engine, or comes so slowly that no two pictures differ, is found too.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from facegate.domain import Frame, Gray

# Brightness is compared at this size; a face of 20 pixels in 640 covers 10 x 10 of it.
_WIDTH, _HEIGHT = 320, 180
# A pixel has changed when its brightness (0..255) differs by more than this: twice the noise of a
# camera at night. That many changed pixels in one cell of the grid are motion there; noise alone
# spreads evenly and reaches it in none.
_CHANGED = 24
_CELLS_X, _CELLS_Y = 32, 18
_CELL_SHARE = 0.25
# How long after the last motion somebody may still stand there, and how often a still scene is
# looked at all the same, in seconds.
_AFTER_S = 1.0
_ANYWAY_S = 2.0
_LATELY_S = 4.0


class MotionGate:
    """Decides, frame by frame, whether one camera's picture is worth a look for faces."""

    def __init__(self) -> None:
        self._reference: Gray | None = None
        self._moved = -math.inf
        self._looked = -math.inf
        self._began = -math.inf
        self.skipped = 0

    def began_lately(self, now: float) -> bool:
        """Return whether something moves that did not a few seconds ago: somebody may come.

        What moves for longer without a face, a tree or a street, does not count.
        """
        return now - self._moved <= _AFTER_S and now - self._began <= _LATELY_S

    def opens(self, frame: Frame) -> bool:
        """Return whether to look for faces in ``frame``; costs about 0.1 ms.

        The reference that motion is told against is renewed at each look, so that what changes
        slowly adds up to motion in the end.
        """
        seen = frame.pixels.luma(_WIDTH, _HEIGHT)
        if self._reference is None or _differs(self._reference, seen):
            if frame.arrived - self._moved > _AFTER_S:
                self._began = frame.arrived
            self._moved = frame.arrived
        looks = frame.arrived - self._moved <= _AFTER_S or frame.arrived - self._looked >= _ANYWAY_S
        if looks:
            self._reference, self._looked = seen, frame.arrived
        else:
            self.skipped += 1
        return looks


def _differs(before: Gray, after: Gray) -> bool:
    changed = cv2.threshold(cv2.absdiff(before, after), _CHANGED, 255, cv2.THRESH_BINARY)[1]
    cells = cv2.resize(changed, (_CELLS_X, _CELLS_Y), interpolation=cv2.INTER_AREA)
    return int(np.max(cells)) >= round(255 * _CELL_SHARE)
