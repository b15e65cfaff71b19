"""What a person has to put right, shown among Home Assistant's repairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .errors import ClientError, ProtocolMismatchError, WrongSiteError
from .options import Options
from .protocol import ModelFaultView

_NO_ENTITY = "no_entity"
_MODEL = "model"
_NOT_INSTALLED = "model_not_installed"
_NEED_PHOTOS = "need_photos"


@callback
def show_error[Entry: ConfigEntry](hass: HomeAssistant, entry: Entry, error: ClientError) -> None:
    """Show an error that trying again does not mend."""
    if isinstance(error, (ProtocolMismatchError, WrongSiteError)):
        _show(hass, entry, error.translation_key, error.translation_key, ir.IssueSeverity.ERROR)


@callback
def show_connected[Entry: ConfigEntry](hass: HomeAssistant, entry: Entry) -> None:
    """Take back what was shown of the connection."""
    for key in ("protocol_too_old", "protocol_too_new", "wrong_site"):
        ir.async_delete_issue(hass, DOMAIN, _id(entry, key))


@callback
def show_doors[Entry: ConfigEntry](
    hass: HomeAssistant, entry: Entry, doors: Mapping[str, str]
) -> None:
    """Show which of these doors, ids to names, that need an entity have none chosen."""
    chosen = Options.read(entry.options).actuators
    lacking = {f"{_NO_ENTITY}_{key}": key for key in doors if key not in chosen}
    wanted = {_id(entry, key) for key in lacking}
    for issue_id in _shown(hass, _id(entry, _NO_ENTITY)) - wanted:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
    for key, door_id in lacking.items():
        _show(hass, entry, key, _NO_ENTITY, ir.IssueSeverity.WARNING, {"door": doors[door_id]})


@callback
def show_people[Entry: ConfigEntry](hass: HomeAssistant, entry: Entry, need_photos: int) -> None:
    """Show how many people need new photos; who they are is not for everybody."""
    if need_photos:
        count = {"count": str(need_photos)}
        _show(hass, entry, _NEED_PHOTOS, _NEED_PHOTOS, ir.IssueSeverity.WARNING, count)
    else:
        ir.async_delete_issue(hass, DOMAIN, _id(entry, _NEED_PHOTOS))


@callback
def show_models[Entry: ConfigEntry](
    hass: HomeAssistant, entry: Entry, faults: Iterable[ModelFaultView]
) -> None:
    """Show which of the engine's models do not serve; take back those that serve again."""
    lacking = {f"{_MODEL}_{fault.model}": fault for fault in faults}
    wanted = {_id(entry, key) for key in lacking}
    for issue_id in _shown(hass, _id(entry, f"{_MODEL}_")) - wanted:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
    for key, fault in lacking.items():
        kind = f"{_MODEL}_{fault.problem}" if fault.stops_faces else _NOT_INSTALLED
        _show(hass, entry, key, kind, ir.IssueSeverity.ERROR, {"model": fault.model})


@callback
def clear[Entry: ConfigEntry](hass: HomeAssistant, entry: Entry) -> None:
    """Take back everything that was shown of this entry."""
    for issue_id in _shown(hass, entry.entry_id):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


def _id[Entry: ConfigEntry](entry: Entry, key: str) -> str:
    return f"{entry.entry_id}_{key}"


def _shown(hass: HomeAssistant, prefix: str) -> set[str]:
    issues = ir.async_get(hass).issues
    return {key for domain, key in issues if domain == DOMAIN and key.startswith(prefix)}


def _show[Entry: ConfigEntry](
    hass: HomeAssistant,
    entry: Entry,
    key: str,
    translation_key: str,
    severity: ir.IssueSeverity,
    placeholders: dict[str, str] | None = None,
) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        _id(entry, key),
        is_fixable=False,
        severity=severity,
        translation_key=translation_key,
        translation_placeholders={"title": entry.title, **(placeholders or {})},
    )
