#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8.1): a WMA file begins with the second frame, and its last frame has no time.
#
# Guess: the times of frames are those of their samples: the first is at 0, and the end of the last is the duration.
# Seen:  the first frame is dropped, and the second is marked as the third. Sounds are one frame (32 ms at 16 kHz) early
#        where samples are counted, and one frame late where times are read. The last frame has the time None, so that
#        `frame.time + duration` ends a program with TypeError after everything has been decoded. wmav1 and other rates
#        do the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import io

import av
import numpy as np

RATE = 16_000
seconds = np.arange(2 * RATE) / RATE
tone = (8_000 * np.sin(2 * np.pi * 440 * seconds) * (seconds > 0.5)).astype(np.float32) / 32_768
file = io.BytesIO()
with av.open(file, "w", format="asf") as container:
    stream = container.add_stream("wmav2", rate=RATE, layout="mono")
    stream.bit_rate = 64_000
    audio = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
    audio.sample_rate, audio.pts = RATE, 0
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=512)
    for frame in [*resampler.resample(audio), *resampler.resample(None), None]:
        container.mux(stream.encode(frame))

print("av", av.__version__, "libavcodec", av.library_versions["libavcodec"])
with av.open(io.BytesIO(file.getvalue())) as container:
    frames = list(container.decode(audio=0))
samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
counted = float(np.flatnonzero(np.abs(samples) > 0.1)[0]) / RATE
marked = frames[0].time + counted
print(f"{len(frames)} frames of {frames[0].samples} samples, the first at {frames[0].time} s, the last at {frames[-1].time}")
print(f"a tone that begins at 0.500 s begins at {counted:.3f} s by its samples, at {marked:.3f} s by the times of frames")
assert frames[0].time == 2 * 512 / RATE and frames[-1].time is None
assert counted < 0.48 and marked > 0.52
PY
