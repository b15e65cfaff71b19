"""Tells whether a face wears a mask, with FaceGate's own small network."""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]

from facegate.domain import Image
from facegate.errors import ModelError

RESOURCE = "face/data/mask-1.onnx"
"""Where the weights are in this package; training/mask in the repository tells how they came."""

INPUT_SIZE = 64
"""Side in pixels of the picture that the network takes."""


class MaskNet:
    """Implements ``domain.MaskClassifier`` by a network that takes (N, 3, 64, 64) BGR in 0..255.

    The network normalizes inside and gives one probability a picture. For one thread.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def worn(self, crop: Image) -> float:
        """Return how certainly (0..1) an aligned crop of 112 x 112 pixels in BGR shows a mask.

        Raises ``ModelError`` where the network gives no probability.
        """
        small = cv2.resize(crop, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)
        blob = np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32)
        (output,) = self._session.run(None, {self._input: blob})
        worn = float(np.asarray(output).item())
        # Written so that NaN fails it too.
        if not 0 <= worn <= 1:
            raise ModelError(f"the mask classifier gave {worn}, which is no probability")
        return worn
