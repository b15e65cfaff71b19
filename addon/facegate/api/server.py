"""The HTTP server: who may ask, and how errors are told."""

from __future__ import annotations

from collections.abc import Iterable
import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from facegate.api.auth import check_token
from facegate.api.socket import Sockets
from facegate.errors import FaceGateError, SettingsError
from facegate.protocol import (
    HEALTH_PATH,
    MAX_PICTURE_BYTES,
    ErrorCode,
    ErrorMessage,
    ProtocolError,
    encode,
)
from facegate.settings import ApiSettings

_LOGGER = logging.getLogger(__name__)

_STATUS = {
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.TOO_MANY: 409,
    ErrorCode.CALL_CLOSED: 409,
    ErrorCode.EXPIRED: 409,
    ErrorCode.CONSENT_REQUIRED: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA: 415,
    ErrorCode.NO_FACE: 422,
    ErrorCode.SEVERAL_FACES: 422,
    ErrorCode.FACE_TOO_SMALL: 422,
    ErrorCode.LOW_QUALITY: 422,
    ErrorCode.OUTLIER_PHOTO: 422,
    ErrorCode.DUPLICATE_SUBJECT: 409,
    ErrorCode.MALFORMED: 400,
    ErrorCode.INVALID: 400,
    ErrorCode.RECORDS_UNAVAILABLE: 503,
    ErrorCode.MODEL_UNAVAILABLE: 503,
    ErrorCode.VAULT_UNAVAILABLE: 503,
    ErrorCode.ACTUATOR_UNAVAILABLE: 503,
    ErrorCode.NOT_CONFIRMED: 504,
}


class Server:
    """The API on its port; all but ``/health`` asks for the token."""

    def __init__(
        self, settings: ApiSettings, token: str, sockets: Sockets, routes: Iterable[web.RouteDef]
    ) -> None:
        self._settings = settings
        self._token = token
        self._sockets = sockets
        app = web.Application(middlewares=[self._guard()], client_max_size=MAX_PICTURE_BYTES)
        app.add_routes(routes)
        app.add_routes(sockets.table())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)

    async def start(self) -> None:
        """Listen; raises ``SettingsError`` where the port cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        except (OSError, UnicodeError) as err:
            raise SettingsError(
                (f"api: cannot listen on {self._settings.host}:{self._settings.port}: {err}",)
            ) from err
        _LOGGER.info("The API listens on %s:%d", self._settings.host, self._settings.port)

    async def stop(self) -> None:
        """Say goodbye to every client and stop listening."""
        await self._sockets.close()
        await self._runner.cleanup()

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                if request.path != HEALTH_PATH:
                    check_token(request, self._token)
                return await handler(request)
            except (FaceGateError, ProtocolError) as err:
                return _error(err.code, str(err))
            except web.HTTPRequestEntityTooLarge:
                return _error(
                    ErrorCode.TOO_LARGE, f"the body is larger than {MAX_PICTURE_BYTES} bytes"
                )
            except web.HTTPException as err:
                missing = err.status == web.HTTPNotFound.status_code
                code = ErrorCode.NOT_FOUND if missing else ErrorCode.INVALID
                return _error(code, err.reason, err.status)
            except Exception:
                _LOGGER.exception("%s %s failed", request.method, request.path)
                return _error(ErrorCode.INTERNAL, "internal error; see the engine's log")

        return guard


def _error(code: ErrorCode, message: str, status: int | None = None) -> web.Response:
    return web.Response(
        status=status or _STATUS.get(code, 500),
        text=encode(ErrorMessage(code, message)),
        content_type="application/json",
    )
