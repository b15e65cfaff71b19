"""A camera's RTSP server, made of GStreamer, that loops byte-stream files.

Runs under the system's own Python (3.11 or later), which has the GObject bindings; imports
nothing else. ``demo.rtsp.RtspServer`` starts it. One JSON object on the first line of standard
input says what to serve::

    {"port": 8554, "streams": [{"path": "/front", "file": "front.h264", "codec": "h264",
                                "rate": "15/1"}],
     "user": "camera", "password": "secret", "auth": "digest"}

``codec`` is ``h264``, ``h265`` (elementary streams, Annex B) or ``tone`` (a sound and no
picture; needs no file). ``user``, ``password`` and ``auth`` (``basic`` or ``digest``) are
optional and hold for every path. ``listening`` on standard output says that clients may come.
The server ends when its standard input closes, so it does not outlive who started it.

A file is read anew at every round of its loop. Whoever replaces it (write beside it, then
``os.replace``) changes the scene at the end of the running round, in the stream that clients
already play; the pictures may change their size. So a one-second loop of an empty doorway can
be replaced by a longer act, and the act, once begun, by the empty doorway again.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found] # noqa: E402  versions come first
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

VIDEO = (
    '( multifilesrc location="{file}" loop=true'
    " caps=video/x-{codec},stream-format=byte-stream,framerate={rate}"
    " ! {codec}parse name=parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 )"
)
TONE = "( audiotestsrc is-live=true volume=0.1 ! alawenc ! rtppcmapay name=pay0 pt=8 )"
ROLE = "viewer"


def launch_line(stream: dict[str, str]) -> str:
    """Return the pipeline of one stream."""
    if stream["codec"] == "tone":
        return TONE
    return VIDEO.format(file=stream["file"], codec=stream["codec"], rate=stream["rate"])


def stamp(_: Any, media: Any) -> None:
    """Give each packet its moment: a bare byte stream comes with decoding times only.

    Without this every RTP time stamp is the same, which no camera does.
    """
    parse = media.get_element().get_by_name("parse")
    if parse is not None:
        parse.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, _copy_time)


def _copy_time(_: Any, info: Any) -> Any:
    buffer = info.get_buffer()
    buffer.pts = buffer.dts
    return Gst.PadProbeReturn.OK


def permissions() -> Any:
    """Return what a client that gave the password may do: see and play the stream."""
    allowed = GstRtspServer.RTSPPermissions()
    for what in ("media.factory.access", "media.factory.construct"):
        allowed.add_permission_for_role(ROLE, what, True)  # noqa: FBT003  GStreamer's signature
    return allowed


def authentication(user: str, password: str, scheme: str) -> Any:
    """Return GStreamer's guard for one user, by ``basic`` or ``digest``."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    guard = GstRtspServer.RTSPAuth()
    if scheme == "digest":
        guard.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        guard.add_digest(user, password, token)
    else:
        guard.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        guard.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return guard


def build(config: dict[str, Any]) -> Any:
    """Return the server that ``config`` describes, not yet attached."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(config["port"]))
    guarded = config.get("password") is not None
    if guarded:
        server.set_auth(authentication(config["user"], config["password"], config["auth"]))
    for stream in config["streams"]:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(launch_line(stream))
        factory.set_shared(True)
        factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
        factory.connect("media-configure", stamp)
        if guarded:
            factory.set_permissions(permissions())
        server.get_mount_points().add_factory(stream["path"], factory)
    return server


def main() -> int:
    """Serve until standard input closes; returns the exit code."""
    config = json.loads(sys.stdin.readline())
    Gst.init(None)
    server = build(config)
    if server.attach(None) == 0:
        sys.stderr.write(f"cannot listen on port {config['port']}\n")
        return 1
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()

    def ended(*_: object) -> bool:
        loop.quit()
        return False

    GLib.io_add_watch(GLib.IOChannel.unix_new(sys.stdin.fileno()), 0, GLib.IOCondition.HUP, ended)
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
