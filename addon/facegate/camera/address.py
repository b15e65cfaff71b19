"""A camera's address, and whether a camera answers there.

Asking first, on the event loop, makes the wait interruptible and tells apart what libav reports
as one and the same input/output error.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import socket
from typing import Self
from urllib.parse import urlsplit

from facegate.errors import CameraError

_PORTS = {"rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a camera is, without its credentials."""

    host: str
    port: int
    encrypted: bool
    has_credentials: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an ``rtsp://`` or ``rtsps://`` URL; raises ``CameraError`` (permanent)."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise CameraError(
                "The camera's URL cannot be read. Write rtsp://user:password@host:port/path and "
                "percent-encode special characters in the password (@ is %40, / is %2F).",
                permanent=True,
            ) from None
        if parts.scheme not in _PORTS or not host:
            raise CameraError(
                "The camera's URL must begin with rtsp:// and name a host: "
                "rtsp://user:password@host:port/path.",
                permanent=True,
            )
        return cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            encrypted=parts.scheme == "rtsps",
            has_credentials=parts.username is not None,
        )

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def ensure_answers(address: Address, limit_s: float) -> None:
    """Return if an RTSP server answers within ``limit_s``; raises ``CameraError``."""
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(address.host, address.port)
    except TimeoutError:
        raise CameraError(
            f"Nothing answers at {address}. Check the camera's power and network cable, and the "
            "address in its URL."
        ) from None
    except ConnectionRefusedError:
        raise CameraError(
            f"{address} refuses connections. Check that RTSP is switched on in the camera and "
            "that the port in its URL is right (554 is usual)."
        ) from None
    except (socket.gaierror, UnicodeError):
        raise CameraError(
            f"The host name {address.host} is not known in this network. Correct the camera's "
            "URL, or write the camera's IP address."
        ) from None
    except OSError as error:
        raise CameraError(
            f"{address} cannot be reached ({error.strerror or type(error).__name__}). Check the "
            "network between this machine and the camera."
        ) from None
    try:
        if not address.encrypted:
            await _ensure_rtsp(address, reader, writer, limit_s)
    finally:
        writer.close()


async def _ensure_rtsp(
    address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit_s: float
) -> None:
    question = f"OPTIONS rtsp://{address}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    try:
        writer.write(question.encode())
        async with asyncio.timeout(limit_s):
            answer = await reader.readline()
    except TimeoutError:
        raise CameraError(
            f"{address} takes connections but says nothing. Restart the camera; if that does not "
            "help, check that the port in its URL is the camera's RTSP port (554 is usual)."
        ) from None
    except (OSError, ValueError):
        answer = b""
    if not answer.startswith(b"RTSP/"):
        raise CameraError(
            f"What answers at {address} does not speak RTSP. Check the port in the camera's URL "
            "(554 is usual)."
        )
