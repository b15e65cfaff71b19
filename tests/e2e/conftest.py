"""End-to-end tests talk through real sockets."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let every test open sockets, which the Home Assistant plugin otherwise forbids."""
