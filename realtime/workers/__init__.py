"""The threads and processes that run blocking engines on behalf of coroutines."""
