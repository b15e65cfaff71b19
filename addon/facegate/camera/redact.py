"""Keeps credentials out of logs, reasons and errors."""

from __future__ import annotations

import re

# Greedy up to the last @: a password typed without percent-encoding may hold @, : and /.
_USER_INFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s'\"]*@", re.IGNORECASE)
# Cameras take passwords in paths and queries too: /user=a&password=b, ?pwd=b, ?token=b.
_PARAMETER = re.compile(
    r"(?P<name>(?:password|passwd|passw|pass|pwd|token|secret|auth)=)[^&\s'\"]*", re.IGNORECASE
)


def redact(text: str) -> str:
    """Return ``text`` without the user names and passwords of the URLs in it.

    Rather too much is taken than too little: in ``rtsp://a:b@host/c@d`` everything up to the
    last ``@`` goes.
    """
    text = _USER_INFO.sub(r"\g<scheme>***@", text)
    return _PARAMETER.sub(r"\g<name>***", text)
