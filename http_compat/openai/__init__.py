"""The endpoints of OpenAI's audio API."""
