"""The dialect of Twilio's Media Streams: telephone calls."""
