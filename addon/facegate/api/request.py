"""What handlers read of a request: the body, the user, numbers and moments of the query."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote

from aiohttp import web

from facegate.domain import AccessPoint
from facegate.errors import InvalidError
from facegate.protocol import USER_HEADER, Direction, decode_body

_LONGEST_USER = 80
_NOBODY = "api"


async def body_of[T](request: web.Request, kind: type[T]) -> T:
    """Read the body; raises ``ProtocolError``."""
    return decode_body(await request.read(), kind)


def user_of(request: web.Request) -> str:
    """Return who asks, for the record; raises ``InvalidError``."""
    text = unquote(request.headers.get(USER_HEADER, "")).strip()
    if not text:
        return _NOBODY
    if len(text) > _LONGEST_USER or not text.isprintable():
        raise InvalidError(f"{USER_HEADER}: expected at most {_LONGEST_USER} printable characters")
    return text


def access_point_of(request: web.Request) -> AccessPoint:
    """Return the access point of a path with ``door_id`` and a query with ``direction``."""
    text = request.query.get("direction", Direction.ENTRY)
    if text not in list(Direction):
        raise InvalidError(f"direction: {text[:40]!r} is not one of {', '.join(Direction)}")
    return AccessPoint(request.match_info["door_id"], Direction(text))


def whole(request: web.Request, name: str, default: int, most: int) -> int:
    """Return a whole number of the query; raises ``InvalidError``."""
    text = request.query.get(name)
    if text is None:
        return default
    longest = len(str(most))
    if not text.isascii() or not text.isdigit() or len(text) > longest or int(text) > most:
        raise InvalidError(f"{name}: {text[:40]!r} is not a whole number from 0 to {most}")
    return int(text)


def yes(request: web.Request, name: str) -> bool:
    """Return a yes or no of the query, no where it is not there; raises ``InvalidError``."""
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        raise InvalidError(f"{name}: {text[:40]!r} is neither true nor false")
    return text == "true"


def moment(request: web.Request, name: str) -> datetime | None:
    """Return a moment of the query, seconds since 1970 UTC; raises ``InvalidError``."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError) as err:
        raise InvalidError(
            f"{name}: {text[:40]!r} is not a moment: use seconds since 1970, UTC"
        ) from err
