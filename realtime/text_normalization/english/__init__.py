"""How written English is read aloud: rules by kind, applied in the order of `reading.py`."""
