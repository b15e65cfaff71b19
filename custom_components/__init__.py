"""The folder in which Home Assistant finds custom integrations."""
