"""The commands `vivavoce listen` and `vivavoce say`."""
