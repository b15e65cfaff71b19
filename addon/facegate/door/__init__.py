"""Door: the state of a lock, and the hardware behind it."""
