"""The bearer token: made at the first start, kept in a file that only its owner reads."""

from __future__ import annotations

import hmac
import os
from pathlib import Path
import secrets

from aiohttp import web

from facegate.errors import UnauthorizedError

_SHORTEST = 32


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
