"""Loaded models: load, lease and unload them, and call them from coroutines."""
