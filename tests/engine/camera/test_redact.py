"""Credentials leave every text."""

from __future__ import annotations

import pytest

from facegate.camera.redact import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("open rtsp://admin:secret@10.0.0.2:554/a failed", "open rtsp://***@10.0.0.2:554/a failed"),
        ("'rtsp://admin:p%40ss%2F@cam/a'", "'rtsp://***@cam/a'"),
        ("rtsp://admin:p@ss/w:rd@cam/a", "rtsp://***@cam/a"),
        ("RTSPS://admin@cam/a", "RTSPS://***@cam/a"),
        (
            "rtsp://cam/user=admin&password=secret&channel=1",
            "rtsp://cam/user=admin&password=***&channel=1",
        ),
        ("http://cam/live?Token=abc x", "http://cam/live?Token=*** x"),
        ("rtsp://a:b@one/x and rtsp://c:d@two/y", "rtsp://***@one/x and rtsp://***@two/y"),
        ("write to someone@example.org", "write to someone@example.org"),
        ("rtsp://10.0.0.2/stream1", "rtsp://10.0.0.2/stream1"),
    ],
)
def test_credentials_are_taken_out_and_the_rest_stays(text: str, shown: str) -> None:
    assert redact(text) == shown
