"""Every blueprint runs in a real Home Assistant."""
