"""Finds faces in frames, follows them as tracks, and tells solid heads from flat pictures."""
