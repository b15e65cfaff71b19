"""Names that several modules of the integration use."""

from __future__ import annotations

from homeassistant.const import Platform

DOMAIN = "facegate"
MANUFACTURER = "FaceGate"
DEFAULT_PORT = 8099

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.LOCK,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]
