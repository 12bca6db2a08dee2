"""The programs `vivavoce listen` and `vivavoce say`."""
