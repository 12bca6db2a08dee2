"""Adapters to the models: blocking code that knows nothing of sessions, asyncio or sockets."""
