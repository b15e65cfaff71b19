"""What is cut out of a frame to read a face."""

from __future__ import annotations

import av
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from facegate.camera.pixels import VideoPixels
from facegate.domain import Box, Frame
from facegate.face.align import align
from facegate.face.quality import measure
from facegate.face.view import REACH, surroundings, view_of
from tests.engine.face.real import START, astronaut, canvas, detector, embedder


def frame_from_a_camera(pixel_format: str = "yuv420p") -> Frame:
    picture = canvas(1280, 720, (astronaut()[:360, 60:420], 700, 200))
    video = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixel_format)
    return Frame("porch", 1, 0.0, START, VideoPixels(video))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "nv12"])
def test_a_face_reads_the_same_in_its_cut_as_in_the_frame(pixel_format: str) -> None:
    frame = frame_from_a_camera(pixel_format)
    (face,) = detector().find(frame)
    view = view_of(frame, face)
    assert view.image.shape[0] < 720
    whole = frame_from_a_camera(pixel_format).image
    left, top = view.origin
    height, width = view.image.shape[:2]
    assert np.array_equal(view.image, whole[top : top + height, left : left + width])
    cut, uncut = align(view.image, view.detection.landmarks), align(whole, face.landmarks)
    assert float(embedder().embed(cut) @ embedder().embed(uncut)) > 0.9999
    assert measure(view.image, view.detection).yaw == pytest.approx(
        measure(whole, face).yaw, abs=0.01
    )


def test_a_cut_at_the_frames_edge_ends_there() -> None:
    frame = frame_from_a_camera()
    (face,) = detector().find(frame)
    at_the_edge = Box(1280 - face.box.width / 2, 500, face.box.width, face.box.height)
    left, top, right, bottom = surroundings(at_the_edge, frame.size, REACH)
    assert (right, bottom) == (1280, 720)
    assert right - left == pytest.approx(REACH * face.box.width, abs=2)
    assert top >= 0


@given(
    st.floats(-200, 2000),
    st.floats(-200, 1200),
    st.floats(1, 1500),
    st.floats(1, 1500),
    st.floats(1, 4),
)
def test_surroundings_lie_inside_and_hold_something(
    x: float, y: float, width: float, height: float, scale: float
) -> None:
    left, top, right, bottom = surroundings(Box(x, y, width, height), (1920, 1080), scale)
    assert 0 <= left < right <= 1920
    assert 0 <= top < bottom <= 1080
