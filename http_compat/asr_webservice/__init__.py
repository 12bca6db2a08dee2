"""The endpoints of whisper-asr-webservice, which Bazarr and other programs use."""
