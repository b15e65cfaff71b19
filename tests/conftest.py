"""Shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

# The Home Assistant test plugin ships a package of the same name; ours must win the import.
import custom_components.facegate  # noqa: F401

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real faces and videos beside the repository, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (real faces and videos), which is not here")
    return SHARED
