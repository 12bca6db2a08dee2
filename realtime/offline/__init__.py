"""The offline path: a recording in, its transcript out, without a session."""
