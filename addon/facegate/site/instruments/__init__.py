"""Instruments: the thermometers, contacts, buttons and readers that the engine reads itself."""

from facegate.site.instruments.instruments import Instruments

__all__ = ["Instruments"]
