"""Brings a face to the position in which embedding models were trained."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.domain import Image, Vector

SIZE = 112

# Where ArcFace (Deng et al., 2019) puts the landmarks in its 112 x 112 crop, in our order.
TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)


def align(image: Image, landmarks: Vector) -> Image:
    """Return the 112 x 112 crop whose five landmarks lie nearest to the ArcFace template.

    What lies outside of ``image`` is black.
    """
    matrix = similarity(landmarks, TEMPLATE)
    return np.asarray(cv2.warpAffine(image, matrix, (SIZE, SIZE)), np.uint8)


def similarity(source: Vector, target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (2, 3) similarity transform that takes ``source`` (N, 2) nearest to ``target``.

    Least squares (Umeyama, 1991); in the plane, with points as complex numbers, it is
    ``w = a*z + b`` with ``a = sum(conj(z) * w) / sum(|z|^2)`` about the means. Points that all
    coincide give the identity's rotation and scale.
    """
    z = source[:, 0].astype(np.float64) + 1j * source[:, 1]
    w = target[:, 0] + 1j * target[:, 1]
    centred = z - z.mean()
    spread = float((np.abs(centred) ** 2).sum())
    a = complex((np.conj(centred) * (w - w.mean())).sum()) / spread if spread > 0 else 1 + 0j
    b = complex(w.mean()) - a * complex(z.mean())
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
