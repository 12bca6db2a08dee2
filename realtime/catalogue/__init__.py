"""The catalogue: the models and voices that can be asked for by name."""
