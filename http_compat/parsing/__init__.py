"""Request bodies to values."""
