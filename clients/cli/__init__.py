"""The commands `vivavoce listen`, `vivavoce say` and `vivavoce talk`."""
