"""Models and voices by name."""
