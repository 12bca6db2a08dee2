"""The endpoints of Deepgram's API for recordings and whole texts."""
