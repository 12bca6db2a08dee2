#!/usr/bin/env bash
# soxr 1.1.0: a streaming resampler at its default quality is no low-latency filter.
#
# Guess: a chunk in gives a chunk out, late by the few milliseconds of the filter.
# Seen:  from 8 to 16 kHz 1,060 of 16,000 output samples (66 ms) come only at the end of the stream, and the first output
#        only after 0.12 s of input; from 48 to 16 kHz chunks of 10 ms give nothing, nothing, nothing, then 490 samples at
#        once. A live caption of the last word waits for that unless the stream is flushed when speech ends.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 soxr==1.1.0
"$work/venv/bin/python" - <<'PY'
import numpy as np
import soxr

print("soxr", soxr.__version__)
noise = np.random.default_rng(0).standard_normal(8_000).astype(np.float32) / 10

stream = soxr.ResampleStream(8_000, 16_000, 1, dtype="float32")
chunks = [stream.resample_chunk(noise[at : at + 160]) for at in range(0, 8_000, 160)]
first = next(index for index, chunk in enumerate(chunks) if len(chunk)) * 20 + 20
held = len(stream.resample_chunk(noise[:0], last=True))
print(f"8 to 16 kHz in chunks of 20 ms: first output after {first} ms, {held / 16:.0f} ms held back until the end")
assert (first, held) == (120, 1_060)

stream = soxr.ResampleStream(48_000, 16_000, 1, dtype="float32")
lengths = [len(stream.resample_chunk(noise[:480])) for _ in range(10)]
print("48 to 16 kHz in chunks of 10 ms (160 output samples each): output lengths", lengths)
assert lengths == [0, 0, 0, 490, 0, 0, 489, 0, 0, 489]
PY
