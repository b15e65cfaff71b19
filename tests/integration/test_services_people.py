"""Actions on people, consent, groups and imports."""

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
import voluptuous as vol

from custom_components.facegate.protocol import DoorStateName, DoorView, ErrorCode, ImportProgress
from custom_components.facegate.services import files, imports
from tests.integration.home import Home
from tests.integration.office import ANN
from tests.integration.scripted import Request, ScriptedEngine, refused
from tests.support import until

SUBJECT = "/api/v1/subjects/subject-1"
PERMIT = {
    "door": "front",
    "direction": "entry",
    "schedule": "weekdays",
    "valid_from": "2026-01-01T00:00:00+00:00",
}
SENT_PERMIT = {
    "door_id": "front",
    "direction": "entry",
    "schedule_id": "weekdays",
    "valid_from": 1767225600.0,
}
CONSENT = {"text_version": "1", "purpose": "access", "language": "en", "signer": "Ann"}
# Of each action: its fields, the request they become, and its body.
SIMPLE: list[tuple[str, dict[str, Any], str, Any]] = [
    ("add_person", {"name": "Ann"}, "POST /api/v1/subjects", {"name": "Ann"}),
    (
        "add_person",
        {
            "name": "Ann",
            "kind": "pupil",
            "external_id": "4711",
            "unit": "3b",
            "language": "en",
            "birth_date": "2015-02-03",
            "groups": ["group-1"],
            "guardians": [{"name": "Cleo", "notify": "notify.cleo"}],
            "permits": [PERMIT],
        },
        "POST /api/v1/subjects",
        {
            "name": "Ann",
            "kind": "pupil",
            "external_id": "4711",
            "unit": "3b",
            "language": "en",
            "birth_date": "2015-02-03",
            "groups": ["group-1"],
            "guardians": [{"name": "Cleo", "notify": "notify.cleo"}],
            "permits": [SENT_PERMIT],
        },
    ),
    (
        "update_person",
        {"subject_id": "subject-1", "name": "Anna", "unit": "12B"},
        f"PATCH {SUBJECT}",
        {"name": "Anna", "unit": "12B"},
    ),
    ("list_people", {}, "GET /api/v1/subjects", None),
    (
        "set_permits",
        {"subject_id": "subject-1", "permits": [PERMIT, {"door": "lock.front_door"}]},
        f"PUT {SUBJECT}/permits",
        {"permits": [SENT_PERMIT, {"door_id": "front"}]},
    ),
    (
        "set_approval",
        {"subject_id": "subject-1", "state": "approved", "until": "1970-01-02T00:00:00+00:00"},
        f"PUT {SUBJECT}/approval",
        {"state": "approved", "until": 86400.0},
    ),
    (
        "add_credential",
        {"subject_id": "subject-1", "kind": "card", "card_number": "0451"},
        f"POST {SUBJECT}/credentials",
        {"kind": "card", "card_number": "0451"},
    ),
    (
        "add_credential",
        {"subject_id": "subject-1", "kind": "pin", "pin": "2468", "duress_pin": "8642"},
        f"POST {SUBJECT}/credentials",
        {"kind": "pin", "pin": "2468", "duress_pin": "8642"},
    ),
    (
        "remove_credential",
        {"subject_id": "subject-1", "credential_id": "a/b"},
        f"DELETE {SUBJECT}/credentials/a%2Fb",
        None,
    ),
    ("erase_person", {"subject_id": "subject-1"}, f"DELETE {SUBJECT}", None),
    ("export_person", {"subject_id": "subject-1"}, f"GET {SUBJECT}/export", None),
    (
        "record_consent",
        {"subject_id": "subject-1", **CONSENT, "guardian": "Cleo", "given_at": "1970-01-01 00:00Z"},
        f"POST {SUBJECT}/consents",
        {**CONSENT, "guardian": "Cleo", "given_at": 0.0},
    ),
    ("withdraw_consent", {"subject_id": "subject-1"}, f"DELETE {SUBJECT}/consents", None),
    ("import_status", {"import_id": "import-1"}, "GET /api/v1/imports/import-1", None),
    ("add_group", {"name": "Class 3b"}, "POST /api/v1/groups", {"name": "Class 3b"}),
    ("list_groups", {}, "GET /api/v1/groups", None),
    (
        "set_group_permits",
        {"group_id": "group-1", "permits": PERMIT},
        "PUT /api/v1/groups/group-1/permits",
        {"permits": [SENT_PERMIT]},
    ),
    (
        "retire_credentials",
        {"group_id": "group-1", "kind": "card", "at": "1970-01-02T00:00:00+00:00"},
        "POST /api/v1/groups/group-1/retirements",
        {"kind": "card", "at": 86400.0},
    ),
]


@pytest.mark.parametrize(("action", "fields", "line", "body"), SIMPLE)
async def test_an_action_is_one_request_in_the_name_of_the_user(
    home: Home,
    scripted: ScriptedEngine,
    action: str,
    fields: dict[str, Any],
    line: str,
    body: Any,
) -> None:
    scripted.answers[line] = {"told": "by the engine"}
    await home.add(scripted)
    administrator = await home.user("Grace Höpper")
    assert await home.act(action, administrator, **fields) == {"told": "by the engine"}
    (request,) = scripted.requests
    assert request.line == line
    assert request.json == body
    assert request.user == "Grace Höpper"


async def test_people_are_listed_by_group_and_kind(home: Home, scripted: ScriptedEngine) -> None:
    scripted.answers["GET /api/v1/subjects"] = {"subjects": [ANN]}
    await home.add(scripted)
    found = await home.act("list_people", group="class 3b&x", kind="pupil")
    assert found == {"subjects": [ANN]}
    assert scripted.requests[0].query == {"group": "class 3b&x", "kind": "pupil"}


async def test_a_moment_without_a_zone_is_in_home_assistants_own(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await hass.config.async_set_time_zone("Asia/Shanghai")
    scripted.answers[f"PUT {SUBJECT}/approval"] = ANN
    await home.add(scripted)
    await home.act(
        "set_approval", subject_id="subject-1", state="approved", until="1970-01-02 08:00:00"
    )
    assert scripted.requests[0].json == {"state": "approved", "until": 86400.0}


async def test_a_pin_that_is_left_out_is_made_and_told_once(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answers[f"POST {SUBJECT}/credentials"] = ANN
    await home.add(scripted)
    answers = [
        await home.act("add_credential", subject_id="subject-1", kind="pin") for _ in range(4)
    ]
    pins = [answer.pop("pin") for answer in answers]
    assert answers == [ANN] * 4
    assert [request.json for request in scripted.requests] == [
        {"kind": "pin", "pin": pin} for pin in pins
    ]
    assert all(len(pin) == 6 and pin.isdecimal() for pin in pins)
    assert len(set(pins)) > 1


async def test_a_door_that_is_not_known_is_refused_before_anything_is_asked(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    for name in ("cellar", "lock.cellar", home.entity_id("select", "mode")):
        with pytest.raises(ServiceValidationError) as caught:
            await home.act("set_permits", subject_id="subject-1", permits=[{"door": name}])
        assert caught.value.translation_key == "no_lock"
        assert caught.value.translation_placeholders == {"name": name}
    assert scripted.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Ann", "birth_date": "yesterday"},
        {"name": "Ann", "permits": [{"schedule": "weekdays"}]},
        {"name": "Ann", "permits": [{"door": "front", "direction": "sideways"}]},
        {"name": "Ann", "guardians": [{"notify": "notify.cleo"}]},
        {"name": "Ann", "pin": "1234"},
        {},
    ],
)
async def test_fields_that_make_no_sense_ask_nothing(
    home: Home, scripted: ScriptedEngine, fields: dict[str, Any]
) -> None:
    await home.add(scripted)
    with pytest.raises(vol.Invalid):
        await home.act("add_person", **fields)
    assert scripted.requests == []


# --- photos -------------------------------------------------------------------------------------


async def test_a_photo_is_enrolled_from_a_file_that_home_assistant_may_read(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, tmp_path: Path
) -> None:
    scripted.answers[f"POST {SUBJECT}/photos"] = ANN
    await home.add(scripted)
    photo = tmp_path / "ann.jpg"
    photo.write_bytes(b"\xff\xd8 a face")
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(photo))
    assert caught.value.translation_key == "path_not_allowed"
    assert scripted.requests == []

    hass.config.allowlist_external_dirs = {str(tmp_path)}
    found = await home.act("enroll_photo", subject_id="subject-1", photo_path=str(photo))
    assert found == ANN
    assert scripted.requests[0].content == b"\xff\xd8 a face"

    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(tmp_path / "no.jpg"))
    assert caught.value.translation_key == "file_failed"


async def test_a_photo_that_is_too_large_is_not_sent(
    hass: HomeAssistant,
    home: Home,
    scripted: ScriptedEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "MAX_PICTURE_BYTES", 10)
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    await home.add(scripted)
    (tmp_path / "ann.jpg").write_bytes(b"x" * 11)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(tmp_path / "ann.jpg"))
    assert caught.value.translation_key == "too_large"
    assert scripted.requests == []


async def test_a_photo_is_enrolled_from_an_image_entity(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.doors = (DoorView("front", "Front door", DoorStateName.LOCKED, picture_at=1.0),)
    scripted.pictures["/api/v1/doors/front/picture"] = b"\xff\xd8 a picture"
    scripted.answers[f"POST {SUBJECT}/photos"] = ANN
    await home.add(scripted)
    image = home.entity_id("image", "last_picture")
    await home.act("enroll_photo", subject_id="subject-1", photo_entity=image)
    assert scripted.requests[0].content == b"\xff\xd8 a picture"
    del scripted.pictures["/api/v1/doors/front/picture"]
    for nothing in (image, "image.of_nobody", "camera.of_nobody"):
        with pytest.raises(ServiceValidationError) as caught:
            await home.act("enroll_photo", subject_id="subject-1", photo_entity=nothing)
        assert caught.value.translation_key == "no_picture"


async def test_a_photo_has_to_be_chosen_once(home: Home, scripted: ScriptedEngine) -> None:
    await home.add(scripted)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1")
    assert caught.value.translation_key == "no_photo"
    with pytest.raises(vol.Invalid):
        await home.act(
            "enroll_photo", subject_id="subject-1", photo_path="/a", photo_entity="image.a"
        )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ErrorCode.CONSENT_REQUIRED, 409),
        (ErrorCode.NO_FACE, 422),
        (ErrorCode.SEVERAL_FACES, 422),
        (ErrorCode.FACE_TOO_SMALL, 422),
        (ErrorCode.UNSUPPORTED_MEDIA, 415),
        (ErrorCode.TOO_LARGE, 413),
    ],
)
async def test_a_photo_that_the_engine_refuses_says_why(
    hass: HomeAssistant,
    home: Home,
    scripted: ScriptedEngine,
    tmp_path: Path,
    code: ErrorCode,
    status: int,
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "ann.jpg").write_bytes(b"\xff\xd8")
    scripted.answers[f"POST {SUBJECT}/photos"] = refused(code, "subject-1: because", status)
    await home.add(scripted)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(tmp_path / "ann.jpg"))
    assert caught.value.translation_key == code
    assert caught.value.translation_placeholders == {"message": "subject-1: because"}


# --- imports ------------------------------------------------------------------------------------

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
