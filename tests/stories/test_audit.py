"""A changed byte in the records of a real passage is found on the command line."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
import sqlite3

from tests.engine.passage import A_LOOK
from tests.engine.process import command
from tests.stories.conftest import OpenPlace
from tests.stories.place import face, front


async def verified(data: Path) -> tuple[int, str]:
    """Return how ``facegate audit verify`` ends, and what it says."""
    said = data.parent / "said"
    said.unlink(missing_ok=True)
    process = await command("audit", "verify", "--data", data, errors=said)
    status = await asyncio.wait_for(process.wait(), 60)
    return status, said.read_text()


def change_a_byte(database: Path, kind: str) -> int:
    """Change one bit of the last row of a kind, as who can write the file; return its number."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            connection.execute(f'DROP TRIGGER "{name}"')
        seq, body = connection.execute(
            "SELECT seq, body FROM events WHERE kind = ? ORDER BY seq DESC LIMIT 1", (kind,)
        ).fetchone()
        place = body.index("Ann" if "Ann" in body else "granted")
        changed = body[:place] + chr(ord(body[place]) ^ 1) + body[place + 1 :]
        connection.execute("UPDATE events SET body = ? WHERE seq = ?", (changed, seq))
        return int(seq)


async def test_a_changed_byte_in_the_record_of_a_passage_is_found(place_at: OpenPlace) -> None:
    async with place_at(front()) as place:
        await place.enroll((await place.add("Ann"))["id"])
        await place.show(face()[:A_LOOK])
        assert (await place.decision())["event_type"] == "access_granted"
        await place.pulsed(1)
        status, said = await verified(place.data)
        assert (status, "none changed" in said) == (0, True)
    status, said = await verified(place.data)
    assert (status, "none changed" in said) == (0, True)
    seq = change_a_byte(place.data / "facegate.db", "access")
    status, said = await verified(place.data)
    assert status == 1
    assert f"first at event {seq}" in said
