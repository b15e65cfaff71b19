"""The broker, and what is published and taken over it."""
