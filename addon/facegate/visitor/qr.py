"""The QR picture of a code: drawn for a visitor's phone, found again before a door's camera."""

from __future__ import annotations

import logging

import cv2
import numpy as np

from facegate.domain import Image
from facegate.visitor.code import LONGEST, PREFIX

_LOGGER = logging.getLogger(__name__)

_MODULE_PX = 8
_QUIET_MODULES = 4
_ENCODERS_QUIET_MODULES = 2

LOOK_WIDTH = 1280
_MOST_ENLARGED = 2.0


def qr_png(text: str) -> bytes:
    """Return a PNG of the QR code of a text, with the quiet zone that the standard asks for."""
    params = cv2.QRCodeEncoder.Params()
    # The least correction gives the largest modules; a screen is neither dirty nor torn.
    params.correction_level = cv2.QRCODE_ENCODER_CORRECT_LEVEL_L
    modules = np.asarray(cv2.QRCodeEncoder.create(params).encode(text), np.uint8)
    framed = np.pad(modules, _QUIET_MODULES - _ENCODERS_QUIET_MODULES, constant_values=255)
    picture = np.kron(framed, np.ones((_MODULE_PX, _MODULE_PX), np.uint8))
    return np.asarray(cv2.imencode(".png", picture)[1]).tobytes()


def find_code(image: Image) -> str | None:
    """Return the text of a pass's QR code in a picture, or None; other QR codes are passed over.

    It is looked for at 1280 pixels of width: small pictures, enlarged at most twice, give up codes
    that they otherwise would not, and large ones cost no more than these. There a code has to be
    about 200 pixels wide where it is sharp and 300 where it is blurred, a sixth to a quarter of
    the picture. A look costs about 10 ms where nothing resembles a code and 40 to 50 ms where
    something does, at 640x360 as at 1920x1080. Of OpenCV's detectors this is the faster one, reads
    as many of the frames of the H.264 clips that were tried, and finds several codes in a picture.
    """
    try:
        _, texts, _, _ = cv2.QRCodeDetectorAruco().detectAndDecodeBytesMulti(_prepared(image))
    except cv2.error as err:
        # It gives up with an assertion on some pictures; the next one will do.
        _LOGGER.debug("A picture could not be searched for codes: %s", err)
        return None
    return next((text.decode() for text in texts if _is_code(text)), None)


def _is_code(text: bytes) -> bool:
    return text.startswith(f"{PREFIX}.".encode()) and len(text) <= LONGEST and text.isascii()


def _prepared(image: Image) -> Image:
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    factor = min(LOOK_WIDTH / gray.shape[1], _MOST_ENLARGED)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(gray, None, fx=factor, fy=factor, interpolation=method), np.uint8)
