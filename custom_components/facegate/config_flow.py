"""Setting up: by hand, found by the Supervisor, signing in again, moving; and what drives doors."""

from __future__ import annotations

from collections.abc import Container, Mapping
import logging
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, Platform
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
import voluptuous as vol

from .connection import Address, probe
from .const import DEFAULT_PORT, DOMAIN
from .coordinator import FaceGateConfigEntry
from .drive import DOMAINS
from .errors import ClientError
from .inputs import PRESSED_DOMAINS
from .options import (
    ACTUATORS,
    CONTACTS,
    DOORBELLS,
    EXIT_BUTTONS,
    READERS,
    SHOW_PEOPLE,
    THERMOMETERS,
    Options,
)
from .protocol import Welcome

_LOGGER = logging.getLogger(__name__)

TITLE = "FaceGate"

_TOKEN = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_ADDRESS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): str,
        vol.Required(CONF_PORT, default=DEFAULT_PORT): cv.port,
        vol.Required(CONF_TOKEN): _TOKEN,
    }
)
_TOKEN_SCHEMA = vol.Schema({vol.Required(CONF_TOKEN): _TOKEN})
_DISCOVERY_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): str,
        vol.Required(CONF_PORT): cv.port,
        vol.Required(CONF_TOKEN): str,
    },
    extra=vol.REMOVE_EXTRA,
)


# What can be chosen of each kind for a door.
_SECTIONS: dict[str, EntitySelectorConfig] = {
    ACTUATORS: EntitySelectorConfig(domain=DOMAINS),
    CONTACTS: EntitySelectorConfig(domain=[Platform.BINARY_SENSOR]),
    THERMOMETERS: EntitySelectorConfig(
        filter=[{"domain": Platform.SENSOR, "device_class": SensorDeviceClass.TEMPERATURE}]
    ),
    EXIT_BUTTONS: EntitySelectorConfig(domain=PRESSED_DOMAINS),
    DOORBELLS: EntitySelectorConfig(domain=[Platform.EVENT, Platform.BINARY_SENSOR]),
    READERS: EntitySelectorConfig(domain=[Platform.EVENT]),
}


class FaceGateConfigFlow(ConfigFlow, domain=DOMAIN):
    """Every way to an engine tests it before it is stored."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        self._discovered: dict[str, Any] = {}

    @staticmethod
    @callback
    def async_get_options_flow(_config_entry: FaceGateConfigEntry) -> FaceGateOptionsFlow:
        """Return the flow that chooses what drives the doors."""
        return FaceGateOptionsFlow()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the engine is."""
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = _stripped(user_input)
            welcome, errors = await self._test(user_input)
            if welcome is not None:
                await self.async_set_unique_id(welcome.site_id, raise_on_progress=False)
                self._abort_if_unique_id_configured()
                return self.async_create_entry(title=TITLE, data=user_input)
        return self._form("user", _ADDRESS_SCHEMA, user_input, errors)

    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take what the engine told the Supervisor; a known engine is updated."""
        try:
            self._discovered = _DISCOVERY_SCHEMA(discovery_info.config)
        except vol.Invalid:
            return self.async_abort(reason="invalid_discovery_info")
        welcome, errors = await self._test(self._discovered)
        if welcome is None:
            return self.async_abort(reason=errors["base"])
        await self.async_set_unique_id(welcome.site_id)
        self._abort_if_unique_id_configured(updates=self._discovered)
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the engine found shall be used."""
        if user_input is not None:
            return self.async_create_entry(title=TITLE, data=self._discovered)
        self._set_confirm_only()
        return self.async_show_form(
            step_id="hassio_confirm",
            description_placeholders={"host": self._discovered[CONF_HOST]},
        )

    async def async_step_reauth(self, _entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin after the engine refused the token."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the token that the engine knows now."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = _stripped(user_input)
            welcome, errors = await self._test({**entry.data, **user_input})
            if welcome is not None:
                await self.async_set_unique_id(welcome.site_id)
                self._abort_if_unique_id_mismatch(reason="wrong_site")
                return self.async_update_reload_and_abort(entry, data_updates=user_input)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=_TOKEN_SCHEMA,
            errors=errors,
            description_placeholders={"host": entry.data[CONF_HOST]},
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the same engine is now."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = _stripped(user_input)
            welcome, errors = await self._test(user_input)
            if welcome is not None:
                await self.async_set_unique_id(welcome.site_id)
                self._abort_if_unique_id_mismatch(reason="wrong_site")
                return self.async_update_reload_and_abort(entry, data_updates=user_input)
        known = {key: entry.data[key] for key in (CONF_HOST, CONF_PORT)}
        return self._form("reconfigure", _ADDRESS_SCHEMA, user_input or known, errors)

    def _form(
        self,
        step_id: str,
        schema: vol.Schema,
        values: Mapping[str, Any] | None,
        errors: dict[str, str],
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
        )

    async def _test(self, data: Mapping[str, Any]) -> tuple[Welcome | None, dict[str, str]]:
        """Return who answers, or the error to show."""
        address = Address(data[CONF_HOST], data[CONF_PORT], data[CONF_TOKEN])
        try:
            return await probe(async_get_clientsession(self.hass), address), {}
        except ClientError as err:
            return None, {"base": err.translation_key}
        except Exception:
            _LOGGER.exception("Unexpected error while testing the engine")
            return None, {"base": "unknown"}


class FaceGateOptionsFlow(OptionsFlow):
    """Chooses, for each door, the entity that FaceGate drives and those that stand beside it.

    Reloads the entry itself: there is no update listener, which would reload a second time.
    """

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the selectors for each door, and whether people are shown."""
        entry: FaceGateConfigEntry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        doors = entry.runtime_data.data.doors.values()
        labels = _labels({door.id: door.name for door in doors})
        driven = {door.id for door in doors if door.own_relay}
        errors: dict[str, str] = {}
        if user_input is not None:
            by_door = {
                key: {labels[label]: entity for label, entity in user_input[key].items()}
                for key in _SECTIONS
            }
            chosen = Options.read({**by_door, SHOW_PEOPLE: user_input[SHOW_PEOPLE]})
            if len(set(chosen.actuators.values())) == len(chosen.actuators):
                stored = chosen.stored()
                self.hass.config_entries.async_update_entry(entry, options=stored)
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_create_entry(data=stored)
            errors["base"] = "entity_used_twice"
        own = er.async_entries_for_config_entry(er.async_get(self.hass), entry.entry_id)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                _options_schema(labels, driven, [entity.entity_id for entity in own]),
                user_input or _shown(Options.read(entry.options), labels),
            ),
            errors=errors,
        )


def _options_schema(
    labels: Mapping[str, str], driven: Container[str], excluded: list[str]
) -> vol.Schema:
    """Return the form for these doors, in which these entities cannot be chosen.

    Doors that the engine has ``driven`` itself need no entity.
    """
    fields: dict[vol.Marker, Any] = {}
    for key, config in _SECTIONS.items():
        selector = EntitySelector(EntitySelectorConfig(**config, exclude_entities=excluded))
        doors = vol.Schema(
            {
                vol.Optional(label): selector
                for label, door_id in labels.items()
                if key != ACTUATORS or door_id not in driven
            }
        )
        fields[vol.Required(key)] = section(doors, {"collapsed": key != ACTUATORS})
    fields[vol.Required(SHOW_PEOPLE, default=False)] = BooleanSelector()
    return vol.Schema(fields)


def _shown(options: Options, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return what the form shows of what was chosen before."""
    stored = options.stored()
    chosen: dict[str, Any] = {
        key: {label: stored[key][door] for label, door in labels.items() if door in stored[key]}
        for key in _SECTIONS
    }
    return {**chosen, SHOW_PEOPLE: options.show_people}


def _stripped(data: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the blanks that come with a pasted address or token."""
    return {key: value.strip() if isinstance(value, str) else value for key, value in data.items()}


def _labels(names: Mapping[str, str]) -> dict[str, str]:
    """Map what the form shows of a door, its name if no other has it, to the door's id."""
    taken = list(names.values())
    return {
        name if taken.count(name) == 1 else f"{name} ({door_id})": door_id
        for door_id, name in names.items()
    }
