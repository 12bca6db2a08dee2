"""Every thread of the service."""
