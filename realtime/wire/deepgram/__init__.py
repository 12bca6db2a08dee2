"""The protocol of Deepgram: live transcription (`listen`) and streamed speech (`speak`)."""
