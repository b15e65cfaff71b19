"""Records: what happened, who is enrolled; the only SQL."""
