"""FaceGate shown on one machine: a camera, an engine, a real Home Assistant, and the story."""
