"""The threads of the service: they run blocking engines on behalf of coroutines."""
