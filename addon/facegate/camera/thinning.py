"""Leaves out pictures that no other is built on, where more come than anybody looks at.

Many encoders send some such pictures (B-frames mostly). Decoding costs as much for each of them as
for any other, and faces are looked for some fifteen times a second.
"""

from __future__ import annotations

import math

from av import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

ENOUGH_S = 0.05
"""Seconds between two pictures below which the second may be left out."""


class Thinning:
    """Tells a decoder before each packet whether its picture may be left out."""

    def __init__(self, decoder: VideoCodecContext) -> None:
        self._decoder = decoder
        self._decoded_at = -math.inf

    def wanted(self, packet: Packet[VideoStream]) -> None:
        """Have a packet decoded; its picture may be left out where the last one is near."""
        at = camera_seconds(packet)
        near = at is not None and 0 <= at - self._decoded_at < ENOUGH_S
        self._decoder.skip_frame = "NONREF" if near else "DEFAULT"
        if at is not None and not near:
            self._decoded_at = at

    def unwanted(self) -> None:
        """Have what is decoded next give no picture where no other is built on it."""
        self._decoder.skip_frame = "NONREF"


def camera_seconds(packet: Packet[VideoStream]) -> float | None:
    """Return when a packet is to be decoded, on the camera's clock in seconds, if it says."""
    ticks = packet.pts if packet.dts is None else packet.dts
    return None if ticks is None else float(ticks * packet.time_base)
