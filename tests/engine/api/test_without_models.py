"""Without its models the engine runs, says so everywhere, and opens to people, not to faces."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from facegate.face import weights
from facegate.protocol import CameraStateName, DoorAction
from tests.engine.face.real import packaged
from tests.support import CONSENT, Client, engine

pytestmark = pytest.mark.usefixtures("free_loop")


@pytest.fixture(params=["altered", "missing"])
def broken(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have the models' files altered, or not there; return what is told of it."""
    file = tmp_path / "model.onnx"
    if request.param == "altered":
        file.write_bytes(b"not a model")
    monkeypatch.setattr(weights, "locate", lambda _: file)
    return "is not the published file" if file.exists() else "cannot read"


async def test_an_engine_without_models_runs_and_says_so(broken: str, tmp_path: Path) -> None:
    options = {
        "cameras": [{"id": "porch", "clip": str(tmp_path / "none.mp4")}],
        "doors": [{"id": "front", "entry_camera": "porch", "pulse_seconds": 1}],
    }
    async with engine(options, tmp_path / "data") as site:
        async with aiohttp.ClientSession(site.url) as session, session.get("/health") as response:
            health = await response.json()
        assert (health["status"], health["models"]) == ("degraded", "failing")
        (camera,) = site.site.board.state().cameras
        assert camera.state is CameraStateName.REFUSED
        assert broken in str(camera.reason)
        async with Client.connected(site.url, site.token) as client:
            await client.drive("front")
            assert (await client.operate("front", DoorAction.OPEN)).ok
            assert len(client.pulses) == 1
        async with site.session() as session:
            async with session.post("/api/v1/subjects", json={"name": "Ann"}) as response:
                ann = (await response.json())["id"]
            path = f"/api/v1/subjects/{ann}/consents"
            async with session.post(path, json=CONSENT) as response:
                assert response.status == 201
            photo = packaged("skimage", "data/astronaut.png").read_bytes()
            async with session.post(f"/api/v1/subjects/{ann}/photos", data=photo) as response:
                error = await response.json()
                assert (response.status, error["code"]) == (503, "model_unavailable")
