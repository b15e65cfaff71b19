"""Decoded pictures that are converted only as far as somebody asks."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from facegate.camera.pixels import StillPixels, VideoPixels
from facegate.domain import Image
from tests.engine.face.real import astronaut


def decoded(picture: Image, pixel_format: str) -> av.VideoFrame:
    """Return a frame as a decoder gives it, in a camera's pixel format."""
    return av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixel_format)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "nv12", "yuv422p", "rgb24"])
def test_a_decoded_picture_is_the_one_that_was_sent(pixel_format: str) -> None:
    sent = astronaut()
    pixels = VideoPixels(decoded(sent, pixel_format))
    assert pixels.size == (512, 512)
    assert cv2.PSNR(pixels.image(), sent) > 25
    assert pixels.image() is pixels.image()


def test_a_scaled_picture_averages_what_it_leaves_out() -> None:
    sent = astronaut()
    wanted = cv2.resize(sent, (200, 112), interpolation=cv2.INTER_AREA)
    for pixels in (VideoPixels(decoded(sent, "yuv420p")), StillPixels(sent)):
        scaled = pixels.scaled(200, 112)
        assert scaled.shape == (112, 200, 3)
        assert cv2.PSNR(scaled, np.asarray(wanted, np.uint8)) > 27
        assert np.array_equal(pixels.scaled(512, 512), pixels.image())


@pytest.mark.parametrize("pixel_format", ["yuv420p", "nv12", "rgb24"])
def test_brightness_is_sampled_from_any_format_and_from_rows_with_padding(
    pixel_format: str,
) -> None:
    picture = np.zeros((90, 158, 3), np.uint8)
    picture[:, 79:] = 255
    luma = VideoPixels(decoded(picture, pixel_format)).luma(16, 9)
    assert luma.shape == (9, 16)
    assert luma[:, :7].max() < 30
    assert luma[:, 9:].min() > 220
    assert np.abs(StillPixels(picture).luma(16, 9).astype(int) - luma).max() < 40
