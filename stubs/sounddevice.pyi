"""sounddevice, which is loaded only if it is installed; the package has no types of its own."""
