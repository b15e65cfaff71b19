"""Relays that stand in for hardware: real topics of each family, and bad habits if told so."""
