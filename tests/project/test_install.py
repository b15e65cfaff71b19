"""What the ways to install tell people to write is what the programs take."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
import re
import shlex
from typing import Any

from homeassistant.util.yaml import parse_yaml
import pytest

from demo.program import free_port
from facegate.__main__ import _parser
from facegate.app_options import combine
from facegate.settings import parse
from tests.broker import PASSWORDS, PROGRAM, needs_mosquitto
from tests.project.tree import ROOT

INSTALL = ROOT / "docs" / "install.md"


def blocks(file: Path, language: str) -> list[str]:
    """Return the code of a language in a document, without the indentation of a list."""
    every = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", file.read_text(), re.DOTALL | re.MULTILINE)
    found = [code for kind, code in every if kind == language]
    return ["\n".join(line.strip() for line in code.splitlines()) for code in found]


def services() -> dict[str, Any]:
    found = parse_yaml((ROOT / "compose.yaml").read_text())
    assert isinstance(found, dict)
    return dict(found["services"])


def test_compose_runs_what_the_program_takes_and_as_nobody_special() -> None:
    engine = services()["facegate"]
    chosen = _parser().parse_args(engine["command"])
    assert (chosen.options, chosen.data) == (Path("/site/options.json"), Path("/data"))
    for service in services().values():
        assert service["user"] == "1000:1000"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_the_options_of_the_compose_steps_are_the_engines() -> None:
    (options,) = blocks(INSTALL, "json")
    settings = parse(json.loads(options))
    assert settings.mqtt is not None
    assert settings.mqtt.host in services()
    assert settings.api.host == "0.0.0.0"


def test_the_service_runs_what_the_program_takes() -> None:
    (unit,) = blocks(INSTALL, "ini")
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    program, *arguments = shlex.split(line)
    assert program.endswith("/bin/facegate")
    assert _parser().parse_args(arguments).command == "run"
    (steps,) = blocks(INSTALL, "sh")
    fetch = next(line for line in steps.splitlines() if "models fetch" in line)
    assert _parser().parse_args(shlex.split(fetch)[1:]).folder == Path("/opt/facegate/models")
    # Before it, for everybody: the program would make it for its own user only.
    assert steps.index("install -d -m 0755 /opt/facegate/models") < steps.index(fetch)


def test_the_file_of_the_apps_documentation_is_taken() -> None:
    (more,) = blocks(ROOT / "addon" / "DOCS.md", "json")
    manifest = parse_yaml((ROOT / "addon" / "config.yaml").read_text())
    assert isinstance(manifest, dict)
    settings = parse(combine(manifest["options"], json.loads(more)))
    assert len(settings.doors[0].rules.rules) == 1


@needs_mosquitto
@pytest.mark.usefixtures("socket_enabled")
async def test_a_broker_runs_with_the_settings_of_the_compose_steps(tmp_path: Path) -> None:
    assert PASSWORDS is not None
    assert PROGRAM is not None
    (conf,) = (block for block in blocks(INSTALL, "") if block.startswith("listener"))
    users = tmp_path / "mosquitto.users"
    users.touch(mode=0o600)
    adding = await asyncio.create_subprocess_exec(PASSWORDS, "-b", str(users), "facegate", "CHOOSE")
    assert await adding.wait() == 0
    own = conf.replace("1883", f"{free_port()} 127.0.0.1").replace("/site", str(tmp_path))
    (tmp_path / "mosquitto.conf").write_text(f"{own}\nuser root\n")
    broker = await asyncio.create_subprocess_exec(
        PROGRAM, "-c", str(tmp_path / "mosquitto.conf"), stderr=asyncio.subprocess.PIPE
    )
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(broker.wait(), 1)
    finally:
        if broker.returncode is None:
            broker.kill()
        await broker.wait()
