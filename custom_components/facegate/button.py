"""Buttons: answers to a visitor, there to be pressed only while one waits."""

from __future__ import annotations

from homeassistant.components.button import ButtonEntity
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import FaceGateConfigEntry, FaceGateCoordinator
from .entity import FaceGateDoorEntity, add_as_they_appear, translated_errors
from .protocol import CallAnswer

PARALLEL_UPDATES = 0


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: FaceGateConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a button for each answer at each door."""
    add_as_they_appear(
        entry,
        async_add_entities,
        lambda state: state.doors,
        lambda coordinator, door_id: [
            FaceGateAnswerButton(coordinator, door_id, answer) for answer in CallAnswer
        ],
    )


class FaceGateAnswerButton(FaceGateDoorEntity, ButtonEntity):
    """One way to answer the visitor at a door."""

    def __init__(self, coordinator: FaceGateCoordinator, door_id: str, answer: CallAnswer) -> None:
        super().__init__(coordinator, door_id, answer.value)
        self._answer = answer

    @property
    def available(self) -> bool:
        """Whether somebody waits at the door."""
        return super().available and self._call is not None

    async def async_press(self) -> None:
        """Answer the call that is open now."""
        call = self._call
        if call is None:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_visitor")
        user = await self._user_name()
        with translated_errors():
            await self.coordinator.client.answer_call(call.id, self._answer, user)
