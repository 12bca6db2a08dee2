"""Traces and logs of sessions: what enters and leaves the core is recorded, replayed and explained."""
