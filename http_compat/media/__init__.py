"""Uploaded media to samples, samples to audio files."""
