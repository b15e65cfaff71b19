"""What MQTT 5 says in numbers and properties: expiry, refusals, and what a client asks for."""

from __future__ import annotations

import math

from aiomqtt import MqttCodeError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from facegate.errors import BrokerError

REFUSED = 0x80
"""From this code on the broker refuses what was asked."""

_PROTOCOL, _BAD_PASSWORD, _NOT_AUTHORIZED = 0x84, 0x86, 0x87


def number(code: object) -> int:
    """Return a code of MQTT 5 as a number, 0 for none."""
    found = code.value if isinstance(code, ReasonCode) else code
    return found if isinstance(found, int) else 0


def connecting(max_packet_bytes: int) -> Properties:
    """Return the properties of a connection that leaves no session at the broker."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0
    properties.MaximumPacketSize = max_packet_bytes
    return properties


def expiring(topic: str, expiry_s: float) -> Properties:
    """Return the properties of a message that expires; raises ``BrokerError`` if it has already."""
    if not expiry_s > 0:
        raise BrokerError(f"nothing was sent to {topic}: it is too old to be acted on")
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    # Brokers take no expiry and an expiry of 0 for the same.
    properties.MessageExpiryInterval = max(1, math.floor(expiry_s))
    return properties


def explain(err: Exception, username: str | None) -> tuple[str, bool]:
    """Return what is wrong with a connection, and whether only somebody can put it right."""
    code = number(err.rc) if isinstance(err, MqttCodeError) else None
    if code in (_BAD_PASSWORD, _NOT_AUTHORIZED):
        who = username or "a client without a name"
        return f"it refuses {who}: check mqtt.username and mqtt.password", True
    if code == _PROTOCOL:
        return "it does not speak MQTT 5: use one that does, such as Mosquitto 2", True
    return str(err) or type(err).__name__, False
