"""Loaded models: load, share, unload."""
