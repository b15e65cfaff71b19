"""What can go wrong with the engine.

    ClientError
    ├── CannotConnectError      no engine there, or the connection ended
    ├── InvalidAuthError        the engine does not know the token
    ├── ProtocolMismatchError   one side has to be updated
    ├── WrongSiteError          another engine answers at the address
    ├── CommandTimeoutError     the engine did not say what became of a command
    └── CommandError            the engine refused a command, with its code

``entity.translated_errors`` turns them into what Home Assistant shows.
"""

from __future__ import annotations

from .protocol import ErrorCode


class ClientError(Exception):
    """Base of all; ``translation_key`` names its text in the translations."""

    translation_key = "cannot_connect"


class CannotConnectError(ClientError):
    """No engine there, or the connection ended."""


class InvalidAuthError(ClientError):
    """The engine does not know the token."""

    translation_key = "invalid_auth"


class ProtocolMismatchError(ClientError):
    """One side has to be updated.

    ``code`` is the engine's view of this integration: too old, or too new.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.translation_key = code.value


class WrongSiteError(ClientError):
    """Another engine answers at the address."""

    translation_key = "wrong_site"


class CommandTimeoutError(ClientError):
    """The engine did not say what became of a command."""

    translation_key = "command_timeout"


class CommandError(ClientError):
    """The engine refused a command; ``code`` is an ``ErrorCode``, or one of a newer engine."""

    translation_key = "command_failed"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message or code)
        self.code = code
