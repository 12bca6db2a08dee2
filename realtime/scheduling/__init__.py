"""Scheduling: which requests an engine runs next, in which batches, and how many sessions it can take on."""
