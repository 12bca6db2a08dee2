"""Adapters to the models: blocking code, called from worker threads, that knows nothing of sessions or sockets."""
