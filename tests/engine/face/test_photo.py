"""Photos and clips for enrollment: the face of a photo, and which frames of a clip are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facegate.domain import Image
from facegate.errors import ImageError
from facegate.face.align import align
from facegate.face.photo import SAME_PERSON, FacePhoto, best_of, only_face
from facegate.face.quality import measure, weight
from facegate.face.video import MAX_CLIP_FRAMES, clip_frames
from facegate.protocol import ErrorCode
from tests.engine.clips import write_clip
from tests.engine.face.real import astronaut, carphone, embedder, face_at, hopper, one_face

BLINK = 92


def read(image: Image) -> FacePhoto:
    face = one_face(image)
    crop = align(image, face.landmarks)
    return FacePhoto(embedder().embed(crop), measure(image, face, crop=crop))


def test_a_photo_is_of_its_largest_face_beside_bystanders() -> None:
    large, small = face_at(200, 200, 100), face_at(400, 200, 40)
    assert only_face((large, small)) is large


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        ((), ErrorCode.NO_FACE),
        ((100, 60), ErrorCode.SEVERAL_FACES),
        ((79,), ErrorCode.FACE_TOO_SMALL),
    ],
)
def test_a_photo_without_one_large_face_is_refused(
    sizes: tuple[float, ...], code: ErrorCode
) -> None:
    with pytest.raises(ImageError) as caught:
        only_face([face_at(200 * n, 200, size) for n, size in enumerate(sizes, 1)])
    assert caught.value.code is code


def test_the_frames_that_are_kept_differ_more_than_neighbors_do() -> None:
    frames = [read(image) for image in carphone()[::5]]
    kept = best_of(frames, 4)
    assert [frame for frame in frames if frame in kept] == list(kept)  # in the clip's order
    likeness = [float(a.embedding @ b.embedding) for a in kept for b in kept if a is not b]
    first = [float(a.embedding @ b.embedding) for a in frames[:4] for b in frames[:4] if a is not b]
    assert len(kept) == 4
    assert max(likeness) < max(first)
    assert min(likeness) >= SAME_PERSON


def test_a_frame_with_shut_eyes_is_not_the_best() -> None:
    blink, neighbor = read(carphone()[BLINK]), read(carphone()[BLINK - 6])
    assert weight(blink.quality) > 0.5
    assert best_of([blink, neighbor], 1) == (neighbor,)


def test_frames_that_show_somebody_else_are_left_out() -> None:
    frames = [read(carphone()[0]), read(hopper()), read(carphone()[40])]
    kept = best_of(frames, 5)
    assert all(float(a.embedding @ b.embedding) >= SAME_PERSON for a in kept for b in kept)


def test_of_no_frames_none_is_kept() -> None:
    assert best_of((), 5) == ()


def test_a_long_clip_is_looked_at_here_and_there(tmp_path: Path) -> None:
    shades = [np.full((64, 64, 3), shade, np.uint8) for shade in range(0, 240, 2)]
    data = write_clip(tmp_path / "shades.mp4", shades, rate=15).read_bytes()
    found = [float(frame.mean()) for frame in clip_frames(data)]
    assert MAX_CLIP_FRAMES - 1 <= len(found) <= MAX_CLIP_FRAMES + 1
    assert found == sorted(found)
    assert max(found) - min(found) > 200
    assert float(np.diff(found).max()) < 20  # spread evenly


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_usual_containers_are_read(tmp_path: Path, suffix: str) -> None:
    data = write_clip(tmp_path / f"clip{suffix}", [astronaut()[:256, :256]] * 5).read_bytes()
    frames = list(clip_frames(data))
    assert {frame.shape for frame in frames} == {(256, 256, 3)}


def test_a_list_that_names_other_files_is_never_followed() -> None:
    playlist = b"ffconcat version 1.0\nfile /etc/hostname\n"
    with pytest.raises(ImageError, match="not an MP4"):
        next(clip_frames(playlist))
