"""Real browsers without a window, each controlled by its own protocol."""
