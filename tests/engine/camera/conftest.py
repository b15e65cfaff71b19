"""Byte streams to serve, and a real RTSP server or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.rtsp import encode_byte_stream, rtsp_unavailable_reason
from tests.engine.camera.scene import numbered


@dataclass(frozen=True, slots=True)
class Footage:
    """Files that an RTSP server can serve."""

    numbered: Path
    short: Path
    larger: Path
    h265: Path


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    """Make each scene once: ten numbered seconds, one second, one second of another size."""
    folder = tmp_path_factory.mktemp("footage")
    made = Footage(
        numbered=folder / "numbered.h264",
        short=folder / "short.h264",
        larger=folder / "larger.h264",
        h265=folder / "h265.h265",
    )
    encode_byte_stream(numbered(150), made.numbered)
    encode_byte_stream(numbered(15), made.short)
    encode_byte_stream(numbered(15, width=800, height=480, first=100), made.larger)
    encode_byte_stream(numbered(15), made.h265, codec="libx265")
    return made


@pytest.fixture
def rtsp(footage: Footage) -> Footage:
    """Return the footage where it can be served; skip the test where it cannot."""
    reason = rtsp_unavailable_reason()
    if reason is not None:
        pytest.skip(reason)
    return footage
