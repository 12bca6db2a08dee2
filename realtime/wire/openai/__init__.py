"""Codec of the OpenAI Realtime protocol."""
