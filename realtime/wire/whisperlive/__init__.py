"""The dialect of WhisperLive: live captions in segments."""
