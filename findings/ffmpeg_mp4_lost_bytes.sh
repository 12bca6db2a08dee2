#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8.1): a fragmented MP4 stream that lacks a few bytes yields nothing after them.
#
# Guess: each fragment has its own index, so FFmpeg reads on with the next one, as it does in Ogg and WebM.
# Seen:  after the fragment with the missing bytes, whose packets are errors, it decodes nothing more. Of 10 s with 200
#        bytes missing in the middle, 4.7 s are lost; Ogg loses 0.2 s.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.2.6
"$work/venv/bin/python" - <<'PY'
import av
import numpy as np

tone = (3_000 * np.sin(np.arange(480_000) / 10)).astype(np.int16)


class Stream(bytearray):
    """Bytes that can only be written and read in order, as those of a socket."""

    def write(self, data):
        self.extend(data)
        return len(data)

    def read(self, size):
        data = bytes(self[:size])
        del self[:size]
        return data


def recorded(muxer, options):
    stream = Stream()
    with av.open(stream, "w", format=muxer, options=options) as container:
        track = container.add_stream("libopus", rate=48_000, layout="mono")
        for start in range(0, len(tone), 960):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 960], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48_000, start
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return stream


def seconds(stream):
    samples = 0
    with av.open(stream, "r") as container:
        for packet in container.demux(audio=0):
            try:
                samples += sum(frame.samples for frame in packet.decode())
            except av.FFmpegError as error:
                print("   ", error)
    return samples / 48_000


print("av", av.__version__, "libavformat", av.library_versions["libavformat"])
left = {}
for muxer, options in (
    ("mp4", {"movflags": "empty_moov+default_base_moof", "frag_duration": "200000"}),
    ("ogg", {"page_duration": "200000"}),
):
    stream = recorded(muxer, options)
    damaged = Stream(stream)
    del damaged[len(stream) // 2 : len(stream) // 2 + 200]
    whole, left[muxer] = seconds(stream), seconds(damaged)
    print(f"{muxer}: {whole:.1f} s whole, {left[muxer]:.1f} s without 200 bytes")
    assert whole > 9.9
assert left["mp4"] < 6
assert left["ogg"] > 9.4
PY
