"""Decision: pure rules over frozen values."""
