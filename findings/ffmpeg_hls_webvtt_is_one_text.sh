#!/usr/bin/env bash
# FFmpeg 8.1 (PyAV 18.1): segments of WebVTT in an HLS playlist are read as one text, without their time map.
#
# Guess: each segment is parsed by itself, as RFC 8216 (section 3.5) and the WebVTT standard have it, where the end of a
#        file ends a cue; X-TIMESTAMP-MAP moves the cues to the time of the media.
# Seen:  where a segment ends with its last cue and no empty line, the header of the next segment becomes text of that
#        cue, and is shown. A map to 10 s of the media changes nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0
cd "$work"
for number in 0 1; do
  printf 'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n00:00:0%d.000 --> 00:00:0%d.500\nText %d\n' \
    $((6 * number + 1)) $((6 * number + 2)) "$number" > "segment_$number.vtt"
done
cat > captions.m3u8 <<'M3U8'
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:6.000,
segment_0.vtt
#EXTINF:6.000,
segment_1.vtt
#EXT-X-ENDLIST
M3U8
"$work/venv/bin/python" - <<'PY'
import av

print("PyAV", av.__version__, "libavformat", ".".join(map(str, av.library_versions["libavformat"])))
with av.open("captions.m3u8") as stream:
    cues = [(packet.pts, bytes(packet).decode()) for packet in stream.demux() if packet.size]
for milliseconds, text in cues:
    print(f"{milliseconds} ms: {text!r}")
assert cues == [
    (1000, "Text 0\nWEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000"),
    (7000, "Text 1"),
], cues
PY
