"""The site at work: its doors and their modes, passages, visitors, alarms, and what is shown."""

from facegate.site.site import Site

__all__ = ["Site"]
