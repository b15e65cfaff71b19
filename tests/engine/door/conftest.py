"""What the tests of doors share."""

from __future__ import annotations

import pytest

from facegate.door import http_relay


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_relay, "POLL_S", 0.2)
