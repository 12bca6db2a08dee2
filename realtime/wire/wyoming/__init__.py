"""The Wyoming protocol of Home Assistant and its satellites, over TCP."""
