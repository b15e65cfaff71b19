"""FaceGate: a face opens a door, on site, with the reason told."""

__version__ = "0.1.0"
