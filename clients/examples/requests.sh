#!/usr/bin/env bash
# Transcribe and speak with curl: clients/examples/requests.sh talk.mp3 [http://127.0.0.1:8000]
set -euo pipefail
recording=$1
server=${2:-http://127.0.0.1:8000}
curl="curl --fail-with-body --silent --show-error"

echo "Transcript:"
$curl "$server/v1/audio/transcriptions" -F model=whisper-1 -F "file=@$recording" -F response_format=text

echo "Subtitles:"
$curl "$server/v1/audio/transcriptions" -F model=whisper-1 -F "file=@$recording" -F response_format=srt

echo "Events:"
$curl --no-buffer "$server/v1/audio/transcriptions" -F model=whisper-1 -F "file=@$recording" -F stream=true

echo "Speech:"
$curl "$server/v1/audio/speech" -H "content-type: application/json" \
  -d '{"model": "tts-1", "input": "Good morning."}' -o morning.mp3
ls -l morning.mp3
