#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8.1): the samples of a big-endian WAV file (RIFX) are read as little-endian.
#
# Guess: since FFmpeg opens RIFX files and reads their rate and length right, it reads their samples right.
# Seen:  only the header is taken for big-endian. The samples become noise at full scale, without an error: a recognizer
#        fed with them answers with nothing at all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.2.6
"$work/venv/bin/python" - <<'PY'
import io
import struct

import av
import numpy as np

tone = (1_000 * np.sin(np.arange(16_000) / 10)).astype(np.int16)


def wav(magic, order):
    audio = tone.astype(order + "i2").tobytes()
    form = struct.pack(order + "4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    chunks = b"WAVE" + form + struct.pack(order + "4sI", b"data", len(audio)) + audio
    return io.BytesIO(struct.pack(order + "4sI", magic, len(chunks)) + chunks)


print("av", av.__version__, "libavformat", av.library_versions["libavformat"])
levels = {}
for magic, order in ((b"RIFF", "<"), (b"RIFX", ">")):
    with av.open(wav(magic, order)) as container:
        stream = container.streams.audio[0]
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(stream)])
        levels[magic] = int(np.abs(samples.astype(int)).max())
        print(magic.decode(), stream.codec_context.name, stream.rate, len(samples), "loudest sample", levels[magic])
assert levels[b"RIFF"] == 999
assert levels[b"RIFX"] > 30_000
PY
