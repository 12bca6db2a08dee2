"""Chat models behind an OpenAI-compatible API, which answer in conversations."""
