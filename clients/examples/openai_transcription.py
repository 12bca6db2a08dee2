"""Transcribe a recording with the openai package.

python clients/examples/openai_transcription.py talk.mp3
"""

import sys
from pathlib import Path

from openai import OpenAI, OpenAIError


def main(path: str, url: str) -> None:
    """Print the text with the time of each segment, then the text again as a stream."""
    client = OpenAI(base_url=url, api_key="none")
    transcript = client.audio.transcriptions.create(
        model="whisper-1",
        file=Path(path),
        response_format="verbose_json",
        timestamp_granularities=["segment"],
    )
    for segment in transcript.segments or ():
        print(f"{segment.start:6.2f} {segment.end:6.2f} {segment.text.strip()}")

    events = client.audio.transcriptions.create(model="whisper-1", file=Path(path), stream=True)
    for event in events:
        if event.type == "transcript.text.delta":
            print(event.delta, end="", flush=True)
    print()


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8000/v1")
    except OpenAIError as error:
        sys.exit(str(error))
