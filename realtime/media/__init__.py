"""Audio files to samples, samples to audio files."""
