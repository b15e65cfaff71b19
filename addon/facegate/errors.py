"""What can go wrong, each with one stable code.

    FaceGateError
    ├── SettingsError        options that cannot be used, every mistake with its path
    ├── ModelError           a model file missing, altered or unreadable
    ├── CameraError          a stream that cannot be opened or read
    ├── ImageError           a picture that cannot be used: size, type, faces
    ├── RecordError          the database locked, read-only, full or newer than the code
    ├── VaultError           the key missing, unreadable or another one
    ├── ActuatorError        a door's hardware unreachable or silent
    ├── BrokerError          the MQTT broker unreachable, or it refuses
    ├── InvalidError         a request whose values do not fit together
    ├── NotFoundError        no such subject, door, call
    ├── ConflictError        the thing is not in a state that allows it
    └── UnauthorizedError    no token, or a wrong one

``protocol.ProtocolError`` (a message that cannot be read) stands beside the tree, because the
integration carries it too. The API translates both in one place.
"""

from __future__ import annotations

from facegate.protocol import ErrorCode, ModelProblem


class FaceGateError(Exception):
    """Base of all; the text tells an operator what is wrong and what to do."""

    code: ErrorCode = ErrorCode.INTERNAL

    def __init__(self, message: str, code: ErrorCode | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class SettingsError(FaceGateError):
    """Options that cannot be used; ``mistakes`` lists each with its path."""

    code = ErrorCode.SETTINGS_INVALID

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("options cannot be used:\n  " + "\n  ".join(mistakes))
        self.mistakes = mistakes


class ModelError(FaceGateError):
    """A model file missing, altered or unreadable: ``problem`` says which."""

    code = ErrorCode.MODEL_UNAVAILABLE

    def __init__(self, message: str, problem: ModelProblem = ModelProblem.UNUSABLE) -> None:
        super().__init__(message)
        self.problem = problem


class CameraError(FaceGateError):
    """A stream that cannot be opened or read; ``permanent`` where asking again soon is no use."""

    code = ErrorCode.CAMERA_UNAVAILABLE

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class ImageError(FaceGateError):
    """A picture that cannot be used."""

    code = ErrorCode.UNSUPPORTED_MEDIA


class RecordError(FaceGateError):
    """The database cannot be used."""

    code = ErrorCode.RECORDS_UNAVAILABLE


class VaultError(FaceGateError):
    """What is encrypted cannot be opened or written."""

    code = ErrorCode.VAULT_UNAVAILABLE


class ActuatorError(FaceGateError):
    """A door's hardware is unreachable or did not confirm."""

    code = ErrorCode.ACTUATOR_UNAVAILABLE


class BrokerError(FaceGateError):
    """The MQTT broker unreachable, or it refuses."""

    code = ErrorCode.BROKER_UNAVAILABLE


class InvalidError(FaceGateError):
    """A request whose values do not fit together."""

    code = ErrorCode.INVALID


class NotFoundError(FaceGateError):
    """There is no such thing."""

    code = ErrorCode.NOT_FOUND


class ConflictError(FaceGateError):
    """The thing is not in a state that allows what was asked."""

    code = ErrorCode.CONFLICT


class UnauthorizedError(FaceGateError):
    """No token, or a wrong one."""

    code = ErrorCode.UNAUTHORIZED
