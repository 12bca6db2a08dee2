"""Whisper on CTranslate2: short windows, incremental decoding, word times."""
