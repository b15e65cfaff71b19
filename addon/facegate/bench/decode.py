"""The least that watching costs: python -m facegate.bench.decode URL... decodes and does no more.

One thread a stream, as the engine's readers: what the engine uses above this is its own.
"""

from __future__ import annotations

from contextlib import suppress
import sys
import threading

import av
import av.error

_OPTIONS = {"rtsp_transport": "tcp", "fpsprobesize": "0", "analyzeduration": "500000"}
_TIMEOUT_S = (8.0, 5.0)


def decode(url: str) -> None:
    """Decode a stream until it ends."""
    with av.open(url, options=_OPTIONS, timeout=_TIMEOUT_S) as container:
        video = container.streams.video[0]
        video.thread_type = "SLICE"
        video.thread_count = 1
        with suppress(av.error.FFmpegError):
            for _ in container.decode(video):
                pass


def main() -> int:
    """Decode every stream at once until all have ended."""
    threads = [threading.Thread(target=decode, args=(url,)) for url in sys.argv[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
