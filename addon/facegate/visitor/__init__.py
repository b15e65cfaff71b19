"""Visitor: an unknown face that rings."""
