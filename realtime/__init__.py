"""The Vivavoce service: microphones in, captions and speech out, over one websocket."""

__version__ = "0.1.0"
