"""Xinference's own endpoints: launch, terminate, login."""
