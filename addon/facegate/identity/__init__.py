"""Tells who a track is: embeddings, the gallery, and the evidence gathered over a track."""
