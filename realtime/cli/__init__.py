"""The command `vivavoce`."""
