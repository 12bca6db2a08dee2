"""Audio samples: formats, G.711, resampling and buffering."""
