"""Through ingress: only from the Supervisor's address, by role, and from our own pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
import json
from pathlib import Path
import re

import aiohttp
from playwright.async_api import async_playwright
import pytest

from demo.screenshot import browser_unavailable_reason
from facegate.api.ingress import LEAST
from facegate.errors import SettingsError
from facegate.protocol import SOCKET_PATH
from facegate.register import Role
from facegate.settings import parse
from tests.engine.api.ingress import PAGE, USERS, Ingress, ingress, supervised
from tests.support import Client, until

needs_chromium = pytest.mark.skipif(
    browser_unavailable_reason() is not None, reason=str(browser_unavailable_reason())
)

OPEN = ("POST", "/api/v1/doors/front/operation", {"action": "open"})
ENROLL = ("POST", "/api/v1/subjects", {"name": "Zoe"})
PICTURE = ("GET", "/api/v1/doors/front/picture", None)
ASKED: list[tuple[tuple[str, str, object], Role | None]] = [
    (("GET", "/api/v1/session", None), Role.VIEWER),
    (("GET", "/api/v1/state", None), Role.VIEWER),
    (("GET", "/api/v1/events", None), Role.VIEWER),
    (("GET", "/health", None), Role.VIEWER),
    (PICTURE, Role.OPERATOR),
    (("GET", "/api/v1/calls/x/picture", None), Role.OPERATOR),
    (("POST", "/api/v1/calls/x/answer", {"answer": "let_in"}), Role.OPERATOR),
    (("POST", "/api/v1/doors/back/operation", {"action": "open"}), Role.OPERATOR),
    (ENROLL, Role.MANAGER),
    (("GET", "/api/v1/subjects", None), Role.MANAGER),
    (("DELETE", "/api/v1/subjects/x", None), Role.MANAGER),
    (("POST", "/api/v1/subjects/x/photos", {}), Role.MANAGER),
    (("GET", "/api/v1/records", None), Role.MANAGER),
    (("POST", "/api/v1/imports", {}), Role.MANAGER),
    (("PUT", "/api/v1/mode", {"mode": "lockdown"}), Role.MANAGER),
    (("GET", "/api/v1/passes", None), Role.MANAGER),
    (("GET", "/metrics", None), Role.MANAGER),
    (("GET", "/api/v1/nothing", None), Role.MANAGER),
    (("POST", "/api/v1/doors/front/temperature", {"celsius": 36.5}), None),
    (("POST", "/api/v1/doors/front/credentials", {"code": "x"}), None),
    (("POST", "/api/v1/doors/front/document", {}), None),
    (("POST", "/api/v1/doors/front/unit", {}), None),
    (("POST", "/api/v1/doors/front/ring", {}), None),
]
RANKS = [Role.VIEWER, Role.OPERATOR, Role.MANAGER]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Ingress]:
    async with ingress(tmp_path / "data") as running:
        yield running


async def status(
    session: aiohttp.ClientSession, asked: tuple[str, str, object]
) -> tuple[int, dict[str, str]]:
    method, path, body = asked
    async with session.request(method, path, json=body) as response:
        text = await response.text()
        return response.status, json.loads(text) if text.startswith('{"type": "error"') else {}


async def test_forged_headers_from_another_address_open_nothing(site: Ingress) -> None:
    forged = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
    }
    async with (
        Client.connected(site.api, site.token) as home,
        site.user("max", address="127.0.0.2") as session,
    ):
        await home.drive("front")
        session.headers.update({**forged, "Authorization": f"Bearer {site.token}"})
        for asked in (OPEN, ENROLL, PICTURE, *(asked for asked, _ in ASKED), ("GET", "/", None)):
            code, told = await status(session, asked)
            assert (code, told["code"]) == (403, "forbidden"), asked
        assert home.pulses == []


async def test_by_default_only_the_supervisors_own_address_is_answered(tmp_path: Path) -> None:
    async with ingress(tmp_path / "data", proxy="172.30.32.2") as site, site.user("max") as session:
        assert (await status(session, ("GET", "/", None)))[0] == 403
        assert (await status(session, OPEN))[0] == 403


async def test_on_the_apis_port_the_supervisors_headers_mean_nothing(site: Ingress) -> None:
    headers = {"X-Remote-User-Name": "max", "X-Remote-User-Id": "1", **PAGE}
    async with aiohttp.ClientSession(site.api, headers=headers) as session:
        for asked in (OPEN, ENROLL, PICTURE, ("GET", "/api/v1/state", None), ("GET", "/", None)):
            assert (await status(session, asked))[0] == 401, asked
        session.headers["Authorization"] = f"Bearer {site.token}"
        assert (await status(session, ENROLL))[0] == 201
        assert (await status(session, ("GET", "/", None)))[0] == 404
        events = await session.get("/api/v1/events")
        assert "max" not in await events.text()


@pytest.mark.parametrize("name", ["stranger", "Max", "max%20", "m%61x", None, ""])
async def test_a_user_without_a_role_may_nothing_and_is_told_what_to_do(
    site: Ingress, name: str | None
) -> None:
    async with site.user(name) as session:
        for asked in (OPEN, ENROLL, PICTURE, *(asked for asked, _ in ASKED)):
            code, told = await status(session, asked)
            assert (code, told["code"]) == (403, "forbidden"), asked
        if name:
            assert f'{{"name": "{name}", "role": "viewer"}}' in told["message"]
            assert "option users" in told["message"]


async def test_a_display_name_gives_nobody_a_role(site: Ingress) -> None:
    async with site.user("stranger") as session:
        session.headers["X-Remote-User-Display-Name"] = "max"
        session.headers["X-Remote-User-Id"] = "max"
        assert (await status(session, OPEN))[0] == 403


async def test_a_user_named_twice_is_nobody(site: Ingress) -> None:
    async with site.user(None) as session:
        session.headers.add("X-Remote-User-Name", "vera")
        session.headers.add("X-Remote-User-Name", "max")
        assert (await status(session, ENROLL))[0] == 403


@pytest.mark.parametrize("name", USERS)
async def test_each_role_may_what_it_may_and_no_more(site: Ingress, name: str) -> None:
    role = Role(USERS[name])
    async with site.user(name) as session:
        for asked, least in ASKED:
            code, _ = await status(session, asked)
            may = least is not None and RANKS.index(role) >= RANKS.index(least)
            assert (code != 403) == may, (asked, code)


async def test_every_rule_is_about_a_route_that_there_is(site: Ingress) -> None:
    async with site.user("max") as session:
        for method, path in LEAST:
            found = path.format(door_id="front", call_id="x")
            code, told = await status(session, (method, found, {}))
            missing = (code, told.get("message")) == (404, "Not Found")
            assert not missing, (method, path)


async def test_no_socket_is_reached_through_ingress(site: Ingress) -> None:
    async with site.user("max") as session:
        assert (await status(session, ("GET", SOCKET_PATH, None)))[0] == 404
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(SOCKET_PATH)


async def test_a_change_asked_for_by_another_sites_page_is_refused(site: Ingress) -> None:
    async with Client.connected(site.api, site.token) as home:
        await home.drive("front")
        async with site.user("max", page=False) as session:
            assert (await status(session, OPEN))[0] == 403
        for origin in ("cross-site", "same-site", "none"):
            async with site.user("max") as session:
                session.headers["Sec-Fetch-Site"] = origin
                assert (await status(session, OPEN))[0] == 403, origin
        assert home.pulses == []


async def test_who_opened_is_on_record_by_the_name_of_ingress(site: Ingress) -> None:
    async with Client.connected(site.api, site.token) as home, site.user("olga") as session:
        await home.drive("front")
        session.headers.update({"X-FaceGate-User": "max", "X-Remote-User-Display-Name": "Öl%67a"})
        assert (await status(session, OPEN))[0] == 204
        assert len(home.pulses) == 1
        async with session.get("/api/v1/events") as response:
            events = (await response.json())["events"]
        assert [e["body"]["approver"] for e in events if e["kind"] == "access"] == ["olga"]
        async with session.get("/api/v1/session") as response:
            told = await response.json()
        assert told == {"user": "olga", "shown": "Öl%67a", "role": "operator"}


async def test_the_pages_take_nothing_from_elsewhere_and_are_not_framed_elsewhere(
    site: Ingress,
) -> None:
    async with site.user("vera") as session, session.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
        text = await response.text()
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in text
    assert 'src="/' not in text
    assert 'href="/' not in text


@pytest.mark.parametrize(
    ("api", "mistake"),
    [
        ({"ingress_port": 8099}, "api.ingress_port: is the API's own port; take another"),
        ({"ingress_port": 0}, "api.ingress_port: "),
        ({"ingress_from": "localhost"}, "api.ingress_from: expected an IP address"),
        ({"ingress_from": 1}, "api.ingress_from: expected an IP address"),
    ],
)
def test_options_of_ingress_that_cannot_be_are_named(api: dict[str, object], mistake: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(mistake)):
        parse({"doors": [{"id": "front"}], "api": api})


def test_without_the_option_there_is_no_port_for_ingress() -> None:
    api = parse({"doors": [{"id": "front"}]}).api
    assert (api.ingress_port, api.ingress_from) == (None, "172.30.32.2")


@needs_chromium
async def test_an_operators_click_in_the_browser_opens_once(site: Ingress) -> None:
    user = {"X-Remote-User-Name": "olga", "X-Remote-User-Display-Name": "Olga"}
    async with (
        Client.connected(site.api, site.token) as home,
        supervised(site.pages, user) as url,
        async_playwright() as playwright,
    ):
        await home.drive("front", "back")
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(locale="en-US")
        mistakes: list[str] = []
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        await page.goto(url)
        card = page.locator("section", has_text="Front door")
        await card.get_by_role("button", name="Open", exact=True).dblclick()
        await until(lambda: home.pulses)
        await page.get_by_text("Front door was opened.").wait_for()
        assert await page.get_by_role("button", name="People").count() == 0
        await browser.close()
        assert [pulse.door_id for pulse in home.pulses] == ["front"]
        assert mistakes == []
