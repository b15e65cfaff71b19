"""What runs inside the peers' own environments, where FaceGate is not installed."""
