"""The dialect of vosk-server: live captions."""
