"""Keeps the process small: what frames and models needed for a moment is given back.

glibc keeps what was freed for the thread that freed it, in an arena a thread, and never gives the
middle of an arena back by itself. With a thread a stream and pictures of megabytes that doubles the
memory of the engine. On other C libraries nothing happens.
"""

from __future__ import annotations

import ctypes
import logging

_LOGGER = logging.getLogger(__name__)

GIVE_BACK_S = 2.0
"""How often memory is given back."""

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # of malloc.h
_ARENAS = 2
_LARGE_BYTES = 4 * 1024 * 1024


def keep_small() -> None:
    """Use few arenas, and give large blocks back at once; to be called before threads start."""
    if (libc := _glibc()) is not None:
        libc.mallopt(_ARENA_MAX, _ARENAS)
        libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Give freed memory back to the system; takes a few milliseconds, in any thread."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL("libc.so.6")
        return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
    except OSError:
        _LOGGER.debug("no glibc: memory is left as it is")
        return None
