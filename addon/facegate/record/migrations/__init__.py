"""Migrations of the records, run at every start."""
