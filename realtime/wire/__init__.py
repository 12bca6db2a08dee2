"""Pure codecs: one wire message to and from the session's commands and events."""
