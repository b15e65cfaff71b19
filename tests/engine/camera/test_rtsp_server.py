"""The server that plays the camera, where the other tests do not show it."""

from __future__ import annotations

import pytest

from demo.rtsp import RtspServer, Stream
from tests.engine.camera.conftest import Footage


async def test_a_port_that_is_taken_is_told(rtsp: Footage) -> None:
    streams = {"/front": Stream(rtsp.short)}
    async with RtspServer(streams) as server:
        with pytest.raises(RuntimeError, match="is running"):
            await server.start()
        other = RtspServer(streams, port=server.port, password="another")
        with pytest.raises(RuntimeError, match=r"does not answer.*cannot listen"):
            await other.start()
