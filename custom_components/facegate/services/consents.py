"""Actions on consent, and on the photos for which it is needed."""

from __future__ import annotations

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from .base import Action, Call
from .files import PHOTO, photo
from .people import subject_path
from .values import MOMENT, SUBJECT


async def _record(call: Call) -> JsonObjectType:
    body = call.given("text_version", "purpose", "language", "signer", "guardian", "given_at")
    return await call.ask("POST", subject_path(call, "consents"), body)


async def _withdraw(call: Call) -> JsonObjectType:
    return await call.ask("DELETE", subject_path(call, "consents"))


async def _enroll(call: Call) -> JsonObjectType:
    query = {"distinct": "true"} if call.data["distinct"] else None
    return await call.ask("POST", subject_path(call, "photos"), await photo(call), query=query)


CONSENTS = (
    Action(
        "enroll_photo",
        _enroll,
        {**SUBJECT, **PHOTO, vol.Optional("distinct", default=False): cv.boolean},
    ),
    Action(
        "record_consent",
        _record,
        {
            **SUBJECT,
            vol.Required("text_version"): cv.string,
            vol.Required("purpose"): cv.string,
            vol.Required("language"): cv.string,
            vol.Required("signer"): cv.string,
            vol.Optional("guardian"): cv.string,
            vol.Optional("given_at"): MOMENT,
        },
    ),
    Action("withdraw_consent", _withdraw, SUBJECT),
)
