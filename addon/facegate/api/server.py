"""The HTTP server: who may ask, and how errors are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import logging
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from facegate.api.auth import check_token
from facegate.api.ingress import ingress_application
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
from facegate.register import Role
from facegate.settings import ApiSettings

_LOGGER = logging.getLogger(__name__)

_STATUS = {
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.FORBIDDEN: 403,
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
    ErrorCode.BROKER_UNAVAILABLE: 503,
    ErrorCode.NOT_CONFIRMED: 504,
}


class Server:
    """The API on its port, all but ``/health`` for the token; and the pages for ingress on theirs.

    ``roles`` are Home Assistant's users who may do anything in the pages.
    """

    def __init__(
        self,
        settings: ApiSettings,
        token: str,
        sockets: Sockets,
        routes: Iterable[web.RouteDef],
        roles: Mapping[str, Role] = MappingProxyType({}),
    ) -> None:
        self._settings = settings
        self._sockets = sockets
        routes = tuple(routes)
        app = web.Application(
            middlewares=[_translated, _guard(token)], client_max_size=MAX_PICTURE_BYTES
        )
        app.add_routes(routes)
        app.add_routes(sockets.table())
        self._sites = [_Listening(app, settings.host, settings.port, "api")]
        if settings.ingress_port is not None:
            pages = ingress_application(
                routes, settings.ingress_from, roles, _translated, MAX_PICTURE_BYTES
            )
            self._sites.append(
                _Listening(pages, settings.host, settings.ingress_port, "api.ingress_port")
            )

    async def start(self) -> None:
        """Listen; raises ``SettingsError`` where a port cannot be had."""
        for site in self._sites:
            await site.start()

    async def stop(self) -> None:
        """Say goodbye to every client and stop listening."""
        await self._sockets.close()
        for site in self._sites:
            await site.stop()


class _Listening:
    """One application on one port; ``option`` is what an operator would change."""

    def __init__(self, app: web.Application, host: str, port: int, option: str) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        self._host, self._port, self._option = host, port, option

    async def start(self) -> None:
        """Listen; raises ``SettingsError``."""
        await self._runner.setup()
        where = f"{self._host}:{self._port}"
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except (OSError, UnicodeError) as err:
            raise SettingsError((f"{self._option}: cannot listen on {where}: {err}",)) from err
        _LOGGER.info("%s: listens on %s", self._option, where)

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()


def _guard(token: str) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != HEALTH_PATH:
            check_token(request, token)
        return await handler(request)

    return guard


@web.middleware
async def _translated(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell every error as JSON with its code."""
    try:
        return await handler(request)
    except (FaceGateError, ProtocolError) as err:
        return _error(err.code, str(err))
    except web.HTTPRequestEntityTooLarge:
        return _error(ErrorCode.TOO_LARGE, f"the body is larger than {MAX_PICTURE_BYTES} bytes")
    except web.HTTPException as err:
        missing = err.status == web.HTTPNotFound.status_code
        code = ErrorCode.NOT_FOUND if missing else ErrorCode.INVALID
        return _error(code, err.reason, err.status)
    except Exception:
        _LOGGER.exception("%s %s failed", request.method, request.path)
        return _error(ErrorCode.INTERNAL, "internal error; see the engine's log")


def _error(code: ErrorCode, message: str, status: int | None = None) -> web.Response:
    return web.Response(
        status=status or _STATUS.get(code, 500),
        text=encode(ErrorMessage(code, message)),
        content_type="application/json",
    )
