"""The framing of containers in live streams: which bytes belong together, and where a stream goes on after a loss."""
