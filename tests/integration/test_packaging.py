"""What Home Assistant's hassfest and HACS ask of a custom integration, and the copied protocol."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import re
import struct
from typing import Any
from urllib.parse import urlsplit

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.yaml import parse_yaml
import pytest
import voluptuous as vol

from custom_components.facegate import entity, errors
from custom_components.facegate.const import DOMAIN
from custom_components.facegate.protocol import AlarmKind, Direction, DoorMode, ModelProblem
from custom_components.facegate.services import ACTIONS
from custom_components.facegate.services.base import CONFIG_ENTRY
from tests.integration.home import Home
from tests.integration.office import ANN
from tests.integration.scripted import HALL, ScriptedEngine

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "custom_components" / DOMAIN
LANGUAGES = ("en", "zh-Hans")

MANIFEST_KEYS = {
    "domain", "name", "after_dependencies", "bluetooth", "codeowners", "config_flow",
    "dependencies", "dhcp", "disabled", "documentation", "homekit", "import_executor",
    "integration_type", "iot_class", "issue_tracker", "loggers", "mqtt", "quality_scale",
    "requirements", "single_config_entry", "ssdp", "usb", "version", "zeroconf",
}  # fmt: skip
HACS_KEYS = {
    "name", "content_in_root", "country", "filename", "hacs", "hide_default_branch",
    "homeassistant", "persistent_directory", "render_readme", "zip_release",
}  # fmt: skip
RULES = {
    # Bronze
    "action-setup", "appropriate-polling", "brands", "common-modules",
    "config-flow-test-coverage", "config-flow", "dependency-transparency", "docs-actions",
    "docs-high-level-description", "docs-installation-instructions",
    "docs-removal-instructions", "entity-event-setup", "entity-unique-id", "has-entity-name",
    "runtime-data", "test-before-configure", "test-before-setup", "unique-config-entry",
    # Silver
    "action-exceptions", "config-entry-unloading", "docs-configuration-parameters",
    "docs-installation-parameters", "entity-unavailable", "integration-owner",
    "log-when-unavailable", "parallel-updates", "reauthentication-flow", "test-coverage",
    # Gold
    "devices", "diagnostics", "discovery-update-info", "discovery", "docs-data-update",
    "docs-examples", "docs-known-limitations", "docs-supported-devices",
    "docs-supported-functions", "docs-troubleshooting", "docs-use-cases", "dynamic-devices",
    "entity-category", "entity-device-class", "entity-disabled-by-default",
    "entity-translations", "exception-translations", "icon-translations",
    "reconfiguration-flow", "repair-issues", "stale-devices",
    # Platinum
    "async-dependency", "inject-websession", "strict-typing",
}  # fmt: skip


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def translation(language: str) -> Any:
    return read(FOLDER / "translations" / f"{language}.json")


def leaves(tree: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text with its path."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        assert isinstance(tree, str), path
        yield path, tree


def source() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.py")))


def test_the_protocol_is_the_engines_byte_for_byte() -> None:
    engines = REPOSITORY / "addon" / "facegate" / "protocol.py"
    assert (FOLDER / "protocol.py").read_bytes() == engines.read_bytes(), (
        "run scripts/sync-protocol"
    )


def test_the_manifest_is_as_hassfest_and_hacs_want_it() -> None:
    manifest = read(FOLDER / "manifest.json")
    keys = list(manifest)
    assert keys == ["domain", "name", *sorted(keys[2:])]
    assert set(keys) <= MANIFEST_KEYS
    assert manifest["domain"] == FOLDER.name
    documentation = urlsplit(manifest["documentation"])
    assert documentation.scheme == "https"
    assert documentation.netloc != "www.home-assistant.io"
    assert manifest["issue_tracker"].startswith("https://")
    assert manifest["iot_class"] == "local_push"
    assert manifest["integration_type"] == "hub"
    assert all(owner.startswith("@") for owner in manifest["codeowners"])
    assert manifest["codeowners"]
    assert manifest["requirements"] == []
    version = AwesomeVersion(manifest["version"], ensure_strategy=[AwesomeVersionStrategy.SEMVER])
    assert version.valid
    assert manifest["config_flow"] is (FOLDER / "config_flow.py").is_file()


def test_hacs_is_told_what_it_knows() -> None:
    hacs = read(REPOSITORY / "hacs.json")
    assert set(hacs) <= HACS_KEYS
    assert hacs["name"] == "FaceGate"
    assert hacs["homeassistant"] == "2025.4.0"
    folders = [path for path in FOLDER.parent.iterdir() if (path / "manifest.json").is_file()]
    assert folders == [FOLDER]


def test_the_brand_has_an_icon_of_the_right_size() -> None:
    header = (FOLDER / "brand" / "icon.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:24]) == (256, 256)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_plain(language: str) -> None:
    for path, text in leaves(translation(language)):
        assert text, path
        assert text == text.strip(), path
        assert not re.search(r"<[a-zA-Z/]", text), path
        assert "[%key:" not in text, path
        assert not text.startswith(("'", '"')), path
        assert not re.search(r"'\{|\}'", text), path


def test_both_languages_say_the_same_things() -> None:
    english, chinese = (dict(leaves(translation(language))) for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    for path, text in english.items():
        holes = [sorted(re.findall(r"\{(\w+)\}", words)) for words in (text, chinese[path])]
        assert holes[0] == holes[1], path


@pytest.mark.parametrize("language", LANGUAGES)
def test_descriptions_belong_to_fields(language: str) -> None:
    texts = translation(language)
    for flow in ("config", "options"):
        for name, step in texts[flow]["step"].items():
            assert set(step.get("data_description", {})) == set(step.get("data", {})), name
            for section in step.get("sections", {}).values():
                assert set(section) == {"name", "description"}
    for issue in texts["issues"].values():
        assert set(issue) == {"title", "description"}
    for exception in texts["exceptions"].values():
        assert set(exception) == {"message"}


def test_everything_that_can_go_wrong_has_a_text_and_every_text_a_use() -> None:
    texts = translation("en")
    kinds = [getattr(errors, name) for name in dir(errors) if name.endswith("Error")]
    mismatches = {"protocol_too_old", "protocol_too_new"}
    wrong = {kind.translation_key for kind in kinds} | mismatches
    refused = entity._REFUSALS | entity._FAILURES
    own = set(re.findall(r'refusal\(\s*"(\w+)"', source())) | {"no_lock", "no_occupancy"}
    assert wrong | refused | own | {"no_visitor"} == set(texts["exceptions"])
    models = {f"model_{problem}" for problem in ModelProblem} | {"model_not_installed"}
    others = {"wrong_site", "no_entity", "need_photos"}
    assert mismatches | others | models == set(texts["issues"])
    tested = {"cannot_connect", "invalid_auth", "unknown", *mismatches}
    assert tested == set(texts["config"]["error"])
    reasons = set(re.findall(r'reason="(\w+)"', source())) - {"not_loaded"}
    by_home_assistant = {
        "already_configured",
        "already_in_progress",
        "reauth_successful",
        "reconfigure_successful",
    }
    assert reasons | tested | by_home_assistant == set(texts["config"]["abort"])


async def test_every_entity_has_a_name_and_an_icon_or_a_class_that_brings_them(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    scripted.areas = (HALL,)
    scripted.answers["GET /api/v1/subjects"] = {"subjects": [ANN]}
    entry = await home.add(scripted, show_people=True)
    names, icons = translation("en")["entity"], read(FOLDER / "icons.json")["entity"]
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert len(entities) == 34
    unused = {(domain, key) for domain, keys in icons.items() for key in keys}
    for item in entities:
        key = item.translation_key
        named = key is not None and "name" in names[item.domain][key]
        assert named or item.domain == "lock" or item.original_device_class, item.entity_id
        has_icon = key in icons.get(item.domain, {})
        assert has_icon or item.domain == "lock" or item.original_device_class, item.entity_id
        unused.discard((item.domain, key or ""))
    assert not unused


def test_icons_are_of_material_design() -> None:
    for path, icon in leaves(read(FOLDER / "icons.json")):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), path


def test_every_action_is_described_with_all_its_fields() -> None:
    described = parse_yaml((FOLDER / "services.yaml").read_text(encoding="utf-8"))
    assert isinstance(described, dict)
    actions = {action.name: action for action in ACTIONS}
    icons = read(FOLDER / "icons.json")["services"]
    assert len(actions) == len(ACTIONS)
    assert set(actions) == set(described) == set(icons)
    for language in LANGUAGES:
        assert set(translation(language)["services"]) == set(actions)
    for name, action in actions.items():
        required = {str(key) for key in action.fields if isinstance(key, vol.Required)}
        fields: dict[str, Any] = described[name]["fields"]
        assert set(fields) == {CONFIG_ENTRY, *map(str, action.fields)}, name
        assert {key for key, field in fields.items() if field.get("required")} == required, name
        for field in fields.values():
            validate_selector(field["selector"])
        for language in LANGUAGES:
            texts = translation(language)["services"][name]
            assert set(texts) == {"name", "description", "fields"}
            assert set(texts["fields"]) == set(fields), name
            for text in texts["fields"].values():
                assert set(text) == {"name", "description"}, name


def test_what_can_be_selected_has_a_text_for_each_option() -> None:
    described = (FOLDER / "services.yaml").read_text(encoding="utf-8")
    texts = translation("en")["selector"]
    assert set(re.findall(r"translation_key: (\w+)", described)) == set(texts)
    for action in parse_yaml(described).values():  # type: ignore[union-attr]
        for field in action["fields"].values():
            if (select := field["selector"].get("select")) is not None:
                options = set(texts[select["translation_key"]]["options"])
                assert set(select["options"]) <= options
    for key, known in {
        "alarm": (AlarmKind, translation("en")["entity"]["event"]["alarm"]),
        "passage": (Direction, translation("en")["entity"]["event"]["passage"]),
    }.items():
        kinds, entity_texts = known
        assert set(entity_texts["state_attributes"]["event_type"]["state"]) == set(kinds), key
    assert set(translation("en")["entity"]["select"]["mode"]["state"]) == set(DoorMode)


def test_every_rule_of_the_quality_scale_is_answered() -> None:
    scale = parse_yaml((FOLDER / "quality_scale.yaml").read_text())
    assert isinstance(scale, dict)
    rules: dict[str, Any] = scale["rules"]
    assert set(rules) == RULES
    for name, answer in rules.items():
        if isinstance(answer, dict):
            assert answer["status"] == "exempt", name
            assert answer["comment"], name
        else:
            assert answer == "done", name
