"""The pages in Home Assistant's sidebar: who may do what there, route by route."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from types import MappingProxyType
from urllib.parse import quote

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from facegate.api.auth import (
    IngressUser,
    check_origin,
    check_peer,
    check_role,
    user_of_ingress,
)
from facegate.api.operations import ANSWER_PATH, OPERATION_PATH
from facegate.protocol import (
    CALL_PICTURE_PATH,
    DOOR_PICTURE_PATH,
    DOORS_PATH,
    EVENTS_PATH,
    HEALTH_PATH,
    STATE_PATH,
    USER_HEADER,
)
from facegate.register import Role

SESSION_PATH = "/api/v1/session"

_DOOR = DOORS_PATH + "/{door_id}"

LEAST: Mapping[tuple[str, str], Role | None] = MappingProxyType(
    {
        (hdrs.METH_GET, HEALTH_PATH): Role.VIEWER,
        (hdrs.METH_GET, SESSION_PATH): Role.VIEWER,
        (hdrs.METH_GET, STATE_PATH): Role.VIEWER,
        (hdrs.METH_GET, EVENTS_PATH): Role.VIEWER,
        (hdrs.METH_GET, DOOR_PICTURE_PATH): Role.OPERATOR,
        (hdrs.METH_GET, CALL_PICTURE_PATH): Role.OPERATOR,
        (hdrs.METH_POST, OPERATION_PATH): Role.OPERATOR,
        (hdrs.METH_POST, ANSWER_PATH): Role.OPERATOR,
        # What readers and sensors measure is no user's to say.
        (hdrs.METH_POST, _DOOR + "/credentials"): None,
        (hdrs.METH_POST, _DOOR + "/temperature"): None,
        (hdrs.METH_POST, _DOOR + "/document"): None,
        (hdrs.METH_POST, _DOOR + "/unit"): None,
        (hdrs.METH_POST, _DOOR + "/ring"): None,
    }
)
"""The least role of each method and path, None for nobody; for all others it is manager."""

_SCRIPTS = ("app", "doors", "people", "events", "dom", "words", "chinese")
_PAGES = {
    "/": ("index.html", "text/html"),
    "/web/style.css": ("style.css", "text/css"),
    **{f"/web/{name}.js": (f"{name}.js", "text/javascript") for name in _SCRIPTS},
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What a handler may see of what the browser sent, beside the path and the body.
_KEPT = (hdrs.CONTENT_TYPE, hdrs.CONTENT_LENGTH)
_USER = "facegate_user"


def ingress_application(
    routes: Iterable[web.RouteDef],
    proxy: str,
    roles: Mapping[str, Role],
    translate: Middleware,
    largest: int,
) -> web.Application:
    """Return the application that answers the address ``proxy`` alone.

    ``routes`` are the API's without the socket, on which devices speak; ``translate`` tells
    errors; a body has at most ``largest`` bytes.
    """
    app = web.Application(
        middlewares=[_harden, translate, _guard(proxy, roles)], client_max_size=largest
    )
    app.add_routes(routes)
    app.router.add_get(SESSION_PATH, _session)
    for path, (name, kind) in _PAGES.items():
        app.router.add_get(path, _page(name, kind))
    return app


def _page(name: str, kind: str) -> Handler:
    """Return the handler of one file of the pages, which holds nothing of the site."""
    body = resources.files("facegate").joinpath("web", name).read_bytes()

    async def page(_request: web.Request) -> web.StreamResponse:
        headers = {hdrs.CACHE_CONTROL: "no-cache"}
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    return page


def _guard(proxy: str, roles: Mapping[str, Role]) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        check_peer(request, proxy)
        path = _path(request)
        if path in _PAGES:
            return await handler(request)
        user = user_of_ingress(request, roles)
        check_role(user, LEAST.get((request.method, path), Role.MANAGER))
        check_origin(request)
        # The handler sees who asks as it does on the API's port, whatever the browser sent.
        kept = {str(key): request.headers[key] for key in _KEPT if key in request.headers}
        named = request.clone(headers={**kept, USER_HEADER: quote(user.name)})
        named[_USER] = user
        return await handler(named)

    return guard


def _path(request: web.Request) -> str:
    """Return the path as the routes have it, empty where there is none."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


@web.middleware
async def _harden(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


async def _session(request: web.Request) -> web.Response:
    user: IngressUser = request[_USER]
    return web.json_response({"user": user.name, "shown": user.shown, "role": user.role})
