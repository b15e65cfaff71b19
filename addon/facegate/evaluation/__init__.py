"""Measures the models on labeled pictures: how often they are wrong, and how sure that is."""
