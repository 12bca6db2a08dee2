"""Recording to transcript, without a session."""
