"""Request and response over the same models: OpenAI's audio endpoints, as its clients really use them."""
