"""Who may ask: the bearer token, and through ingress Home Assistant's users with their roles.

The token is made at the first start and kept in a file that only its owner reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import hmac
from ipaddress import IPv4Address, IPv6Address, ip_address
import json
import os
from pathlib import Path
import secrets

from aiohttp import web

from facegate.errors import UnauthorizedError
from facegate.protocol import ErrorCode
from facegate.register import Role

PAGE_HEADER = "X-FaceGate-Page"
"""What our own pages send with every change."""

_SHORTEST = 32
_NAME_HEADER = "X-Remote-User-Name"
_DISPLAY_HEADER = "X-Remote-User-Display-Name"
_HARMLESS = frozenset({"GET", "HEAD"})
# Each may do what those before it may.
_RANKS = (Role.VIEWER, Role.OPERATOR, Role.MANAGER)


def read_token(path: Path) -> str:
    """Return the token in ``path`` (mode 0600), making one where there is none.

    Raises ``OSError`` where the file cannot be read or made.
    """
    if path.exists():
        path.chmod(0o600)
        token = path.read_text("ascii", "replace").strip()
        if len(token) >= _SHORTEST:
            return token
        path.unlink()
    token = secrets.token_urlsafe(_SHORTEST)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token


def check_token(request: web.Request, token: str) -> None:
    """Raise ``UnauthorizedError`` unless the request bears the token."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(
        given.strip().encode(errors="surrogateescape"), token.encode()
    ):
        raise UnauthorizedError(
            "the token is missing or wrong: use the one in the file 'token' of the data folder"
        )


@dataclass(frozen=True, slots=True)
class IngressUser:
    """A user of Home Assistant, as the Supervisor names it.

    ``name`` is what one logs in with, which only administrators change: roles go by it, and the
    record names it. ``shown`` is for the pages alone, anybody may choose it.
    """

    name: str
    shown: str
    role: Role


def check_peer(request: web.Request, address: str) -> None:
    """Raise ``UnauthorizedError`` unless the connection itself comes from an address.

    No header is looked at: anybody may send one.
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not peer or _plain(str(peer[0])) != _plain(address):
        raise UnauthorizedError(
            "this port is for Home Assistant's ingress only: open FaceGate in its sidebar",
            ErrorCode.FORBIDDEN,
        )


def user_of_ingress(request: web.Request, roles: Mapping[str, Role]) -> IngressUser:
    """Return who asks through ingress; raises ``UnauthorizedError`` for somebody without a role.

    To be called only once ``check_peer`` has been: the headers mean nothing from anybody else.
    """
    name, shown = _told(request, _NAME_HEADER), _told(request, _DISPLAY_HEADER)
    if not name:
        raise UnauthorizedError(
            "Home Assistant does not say who you are: log in with a user name and a password",
            ErrorCode.FORBIDDEN,
        )
    if (role := roles.get(name)) is None:
        example = json.dumps({"name": name, "role": Role.VIEWER.value}, ensure_ascii=False)
        raise UnauthorizedError(
            f"the user {name!r} has no role here: add {example} (or operator, or manager) to the"
            " option users",
            ErrorCode.FORBIDDEN,
        )
    return IngressUser(name, shown or name, role)


def check_role(user: IngressUser, least: Role | None) -> None:
    """Raise ``UnauthorizedError`` where a user may do less; ``least`` is None for nobody."""
    if least is None:
        raise UnauthorizedError("only devices may say this, with the token", ErrorCode.FORBIDDEN)
    if _RANKS.index(user.role) < _RANKS.index(least):
        raise UnauthorizedError(
            f"this needs the role {least}, and {user.name!r} has {user.role}: change it in the"
            " option users",
            ErrorCode.FORBIDDEN,
        )


def check_origin(request: web.Request) -> None:
    """Raise ``UnauthorizedError`` for a change that another site's page may have asked for.

    Only our pages can send ``PAGE_HEADER``: another origin's would first have to ask, and nobody
    answers. A browser that tells where a request comes from must name the same origin.
    """
    if request.method in _HARMLESS:
        return
    origin = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.headers.get(PAGE_HEADER) != "1" or origin != "same-origin":
        raise UnauthorizedError(
            "a change is taken only from FaceGate's own pages", ErrorCode.FORBIDDEN
        )


def _told(request: web.Request, header: str) -> str:
    """Return what the Supervisor says of the user; empty where it is not said once and readably."""
    values = request.headers.getall(header, [])
    if len(values) != 1 or not values[0].isprintable():
        return ""
    return values[0].strip()


def _plain(address: str) -> IPv4Address | IPv6Address | None:
    """Return an address, that of a version 4 peer on a version 6 socket as version 4."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
