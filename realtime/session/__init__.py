"""The sans-I/O core: one client's session as a state machine."""
