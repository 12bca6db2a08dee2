"""Scheduling: which requests an engine answers next and together, and how many sessions are admitted."""
