"""Turns an aligned face into a vector that can be compared, with SFace."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]

from facegate.domain import Image, Vector
from facegate.errors import ModelError


class Embedder:
    """Embeds aligned crops; ``model_id`` names the weights: vectors of two are not comparable.

    For one thread.
    """

    def __init__(self, session: ort.InferenceSession, model_id: str) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.model_id = model_id

    def embed(self, crop: Image) -> Vector:
        """Return 128 values of unit length for a 112 x 112 crop; a cosine is their dot product.

        Raises ``ModelError`` where the model gives no usable vector.
        """
        rgb = np.ascontiguousarray(crop[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)
        (output,) = self._session.run(None, {self._input: rgb})
        vector = np.asarray(output[0], np.float32)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0:
            raise ModelError(f"{self.model_id} gave a vector of length {length}")
        return vector / np.float32(length)
