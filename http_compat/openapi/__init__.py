"""The OpenAPI description of the HTTP layer."""
