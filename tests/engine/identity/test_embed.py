"""Vectors of one person lie near each other, of two far apart."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
import pytest

from facegate.errors import ModelError
from facegate.face.align import align
from facegate.face.engine import open_session
from facegate.face.weights import SFACE
from facegate.identity.embed import Embedder
from tests.engine.face.real import (
    astronaut,
    carphone,
    embedder,
    enlarged,
    hopper,
    one_face,
    prepared,
    vector_of,
)


def test_a_vector_has_128_values_and_unit_length() -> None:
    vector = vector_of(astronaut())
    assert vector.shape == (128,)
    assert vector.dtype == np.float32
    assert abs(float(np.linalg.norm(vector)) - 1) < 1e-5


def test_one_person_in_two_frames_is_alike() -> None:
    frames = carphone()
    assert float(vector_of(frames[0]) @ vector_of(frames[100])) > 0.6
    assert float(vector_of(astronaut()) @ vector_of(enlarged(astronaut(), 0.5))) > 0.8


def test_two_persons_are_not_alike() -> None:
    vectors = [vector_of(astronaut()), vector_of(hopper()), vector_of(carphone()[0])]
    for first in range(3):
        for second in range(first):
            assert float(vectors[first] @ vectors[second]) < 0.3


def test_colors_reach_the_model_as_rgb() -> None:
    crop = align(astronaut(), one_face(astronaut()).landmarks)
    session = open_session(prepared(SFACE))
    rgb = np.ascontiguousarray(crop[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)
    expected = session.run(None, {"data": rgb})[0][0]
    cosine = float(embedder().embed(crop) @ expected) / float(np.linalg.norm(expected))
    assert cosine > 0.9999


def test_the_embedder_names_its_weights() -> None:
    assert embedder().model_id == "sface-2021dec-fb143eea"


class _BrokenSession(ort.InferenceSession):  # type: ignore[misc]
    """A session whose arithmetic went wrong, as with a damaged accelerator."""

    def __init__(self) -> None:
        """Open nothing."""

    def get_inputs(self) -> list[_BrokenSession]:
        return [self]

    name = "data"

    def run(self, *_: object) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        return [np.full((1, 128), np.nan, np.float32)]


def test_a_vector_that_is_not_a_number_is_an_error_and_not_a_stranger() -> None:
    broken = Embedder(_BrokenSession(), SFACE.id)
    with pytest.raises(ModelError, match="nan"):
        broken.embed(np.zeros((112, 112, 3), np.uint8))
