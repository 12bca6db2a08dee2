"""The part of py3langid that this project uses; the package has no types of its own."""
