"""Actions that bring in many people at once."""

from __future__ import annotations

from collections.abc import Callable
import io
from pathlib import Path
import tempfile
from typing import Any
import zipfile

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.facegate.protocol import ErrorCode, ImportProgress
from custom_components.facegate.services import imports
from tests.integration.home import Home
from tests.integration.scripted import Request, ScriptedEngine, refused
from tests.support import until

STARTED = {
    "import_id": "import-1", "state": "running", "done": 0, "total": 2, "refused": 0, "report": [],
}  # fmt: skip
DONE = {
    **STARTED,
    "state": "done",
    "done": 1,
    "refused": 1,
    "report": [{"row": 2, "external_id": "4711", "reason": "no face"}],
}


def unpacked(request: Request) -> dict[str, bytes]:
    """Return the files in the archive that was sent."""
    with zipfile.ZipFile(io.BytesIO(request.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder that Home Assistant may read, and beside it a secret that it may not."""
    (tmp_path / "secret.jpg").write_bytes(b"a secret")
    folder = tmp_path / "share"
    (folder / "photos" / "b").mkdir(parents=True)
    (folder / "people.csv").write_text("external_id,name\n1,Ann\n")
    (folder / "photos" / "ann.jpg").write_bytes(b"Ann's face")
    (folder / "photos" / "b" / "ben.PNG").write_bytes(b"Ben's face")
    (folder / "photos" / "notes.txt").write_text("not a photo")
    (folder / "photos" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    hass.config.allowlist_external_dirs = {str(folder)}
    return folder


async def test_a_table_and_a_folder_of_photos_are_imported(
    home: Home, scripted: ScriptedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _remember_archives(monkeypatch)
    scripted.answers["POST /api/v1/imports"] = STARTED
    await home.add(scripted)
    found = await home.act(
        "import_people", path=str(folder / "people.csv"), folder=str(folder / "photos")
    )
    assert found == STARTED
    (request,) = scripted.requests
    assert unpacked(request) == {
        "people.csv": b"external_id,name\n1,Ann\n",
        "ann.jpg": b"Ann's face",
        "b/ben.PNG": b"Ben's face",
    }
    (archive,) = made
    assert not archive.exists()


async def test_an_archive_is_sent_as_it_is(
    home: Home, scripted: ScriptedEngine, folder: Path
) -> None:
    scripted.answers["POST /api/v1/imports"] = STARTED
    await home.add(scripted)
    content = b"PK" + bytes(range(256)) * 4096
    (folder / "people.zip").write_bytes(content)
    assert await home.act("import_people", path=str(folder / "people.zip")) == STARTED
    assert scripted.requests[0].content == content


async def test_a_table_alone_is_imported(
    home: Home, scripted: ScriptedEngine, folder: Path
) -> None:
    scripted.answers["POST /api/v1/imports"] = STARTED
    await home.add(scripted)
    await home.act("import_people", path=str(folder / "people.csv"))
    assert list(unpacked(scripted.requests[0])) == ["people.csv"]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        (lambda folder: {"path": f"{folder}/none.csv"}, "file_failed"),
        (lambda folder: {"path": f"{folder}/none.zip"}, "file_failed"),
        (lambda folder: {"path": f"{folder.parent}/secret.zip"}, "path_not_allowed"),
        (
            lambda folder: {"path": f"{folder}/people.csv", "folder": str(folder.parent)},
            "path_not_allowed",
        ),
    ],
)
async def test_what_cannot_be_read_is_not_imported(
    home: Home,
    scripted: ScriptedEngine,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: Callable[[Path], dict[str, Any]],
    key: str,
) -> None:
    made = _remember_archives(monkeypatch)
    await home.add(scripted)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("import_people", **fields(folder))
    assert caught.value.translation_key == key
    assert scripted.requests == []
    assert [archive for archive in made if archive.exists()] == []


async def test_an_import_that_the_engine_refuses_leaves_no_archive(
    home: Home, scripted: ScriptedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _remember_archives(monkeypatch)
    scripted.answers["POST /api/v1/imports"] = refused(ErrorCode.CONFLICT, "one is running")
    await home.add(scripted)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("import_people", path=str(folder / "people.csv"))
    assert caught.value.translation_key == "conflict"
    (archive,) = made
    assert not archive.exists()


async def test_an_import_can_be_waited_for(
    home: Home, scripted: ScriptedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ASK_AGAIN_S", 60)
    scripted.answers["POST /api/v1/imports"] = STARTED
    scripted.answers["GET /api/v1/imports/import-1"] = STARTED
    await home.add(scripted)
    waiting = home.hass.async_create_task(
        home.act("import_people", path=str(folder / "people.csv"), wait=True)
    )
    await until(lambda: len(scripted.requests) == 2)
    scripted.answers["GET /api/v1/imports/import-1"] = DONE
    await scripted.push(
        ImportProgress("import-1", "running", 1, 2, 0), ImportProgress("import-1", "done", 1, 2, 1)
    )
    assert await waiting == DONE
    assert len(scripted.requests) == 3


async def test_an_import_is_asked_for_again_where_nothing_was_heard(
    home: Home, scripted: ScriptedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ASK_AGAIN_S", 0.05)
    answers = [STARTED, STARTED, DONE]
    scripted.answers["POST /api/v1/imports"] = STARTED
    scripted.answers["GET /api/v1/imports/import-1"] = lambda _: answers.pop(0)
    await home.add(scripted)
    assert await home.act("import_people", path=str(folder / "people.csv"), wait=True) == DONE
    assert answers == []


def _remember_archives(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    made: list[Path] = []
    original = tempfile.NamedTemporaryFile

    def remember(**options: Any) -> Any:
        file = original(**options)
        made.append(Path(file.name))
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", remember)
    return made
