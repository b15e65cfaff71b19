"""Bulk import: a list of people with their photos, put one after the other."""
