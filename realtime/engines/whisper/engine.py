"""Whisper through faster-whisper and CTranslate2, on as short a window as the audio needs (`windows`).

A decode is greedy unless the request says otherwise, batched, and generates timestamp tokens: without them Whisper
skips the sentence of a speaker who follows another closely. If the last timestamp shows that a final stopped early, the
remainder is decoded on its own. With the short tail padding of finals under load timestamps are unreliable, so those
are decoded without; if a stretch of sound then has no words, the final is decoded again with timestamps.

A final whose evidence is bad (see `drafts`) is decoded again in a wider window, then at the further temperatures of the
request; the best draft is used. A final that repeats itself or leaves sound without words is decoded stretch by stretch
(see `stretches`). Each further decode is a turn of its own in the queue: `decode` returns the state for
it. Word times come from cross-attention, in one parallel pass at the end, and are bounded by the voice in the audio.

Source: CTranslate2's documentation of `Whisper.generate`, for the meaning of `max_length`.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from threadpoolctl import threadpool_limits

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ENGLISH
from realtime.engines.whisper.cpu import enable_avx512
from realtime.engines.whisper.detection import LanguageDetector
from realtime.engines.whisper.drafts import Draft, compression_ratio, is_broken, meets, parse_output
from realtime.engines.whisper.echo import echoes
from realtime.engines.whisper.encoder import Encoder, storage
from realtime.engines.whisper.likelihood import log_likelihood_ratio
from realtime.engines.whisper.options import generation, preceding
from realtime.engines.whisper.scripts import ForeignTokens, foreign_scripts, has_foreign_letters
from realtime.engines.whisper.stretches import Split, mostly_repeats, stretches
from realtime.engines.whisper.vocabulary import with_first_merge
from realtime.engines.whisper.windows import (
    FRAME,
    MAX_LENGTH,
    DecodeState,
    batches,
    padded,
    second_window,
)
from realtime.engines.whisper.words import TimedToken, words_of
from realtime.errors import ClientError, EngineError
from realtime.speech.language_evidence import Told
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.suppression import resembles_silence
from realtime.speech.transcript import Hypothesis
from realtime.speech.word_times import bounded, longest_untranscribed

MIN_REMAINDER: Final = 100
"""Fewest frames of a remainder that is decoded on its own: 2 s, more than a word with the pause after it."""


class Whisper:
    """A Whisper model of any size in CTranslate2's format."""

    def __init__(
        self,
        directory: Path,
        *,
        languages: tuple[str, ...] = (),
        translation: bool = True,
        device: str = "auto",
        device_index: int = 0,
        compute_type: str = "default",
        workers: int = 1,
        threads: int = 0,
    ) -> None:
        """Load the model for `workers` threads that call it, with `threads` of its own each. Raises `EngineError`.

        `languages` are those it was trained for, empty for all of its vocabulary. With a single one, none is detected.
        """
        enable_avx512()
        try:
            model = WhisperModel(
                str(directory),
                device=device,
                device_index=device_index,
                compute_type=compute_type,
                num_workers=workers,
                cpu_threads=threads,
            )
        except (RuntimeError, ValueError, OSError) as exc:
            raise EngineError(f"The Whisper model could not be loaded: {exc}") from exc
        self._multilingual: bool = model.model.is_multilingual
        self.capabilities = (
            Capabilities(languages, translation=translation, word_times=True)
            if self._multilingual
            else Capabilities(ENGLISH, word_times=True)
        )
        known = self.capabilities.languages
        self._only_language = known[0] if len(known) == 1 else None
        self.workers = workers
        self._model: ctranslate2.models.Whisper = model.model
        self._vocabulary = with_first_merge(model.hf_tokenizer)
        self._tokenizers: dict[tuple[str, bool], Tokenizer] = {}
        self._foreign_tokens = ForeignTokens(self._vocabulary)
        # NumPy multiplies one small matrix per request; the threads of its BLAS would only spin.
        threadpool_limits(limits=1, user_api="blas")
        self._encoder = Encoder(model.model, model.feature_extractor)
        self._detector = LanguageDetector(model.model, self._encoder)
        self.partial_seconds = self._measure()

    def _measure(self) -> float:
        """Estimate the seconds of a partial: twice the time for noise, which has few words, on an idle machine."""
        noise = np.random.default_rng(0).normal(0, 0.01, 3 * SAMPLE_RATE).astype(np.float32)
        request = TranscriptionRequest(noise, language="en", final=False)
        self.decode([self.encode(request)])  # compiles the kernels
        began = time.perf_counter()
        self.decode([self.encode(request)])
        return 2 * (time.perf_counter() - began)

    def close(self) -> None:
        """Unload the weights."""
        self._model.unload_model()

    def encode(self, request: TranscriptionRequest) -> DecodeState:
        """Encode the window of a request and detect its language if need be.

        Raises `EngineError`, and `ClientError` for a language that Whisper does not know.
        """
        with _converted_errors():
            encoding = self._encoder.encode(padded(request))
            given = request.language or self._only_language
            told, languages = (Told(given, 1.0), {}) if given else self._detector.tell(request, encoding)
            by_stretch = () if given else self._detector.tell_stretches(request, encoding)
            tokenizer = self._tokenizer(told.language, request.translate)
            return DecodeState(
                request=request,
                encoding=encoding,
                language=tokenizer.language_code,
                task=tokenizer.sot_sequence,
                timestamps=not request.under_load,
                context=preceding(request, tokenizer),
                language_probability=told.probability,
                languages=languages,
                stretch_languages=by_stretch,
            )

    def decode(self, states: Sequence[DecodeState]) -> list[Hypothesis | DecodeState]:
        """Decode states; return the hypothesis of each, or the state to decode next. Raises `EngineError`."""
        with _converted_errors():
            answers: dict[int, Hypothesis | DecodeState] = {}
            for batch in batches(states):
                drafts = self._generate([states[index] for index in batch])
                for index, draft in zip(batch, drafts, strict=True):
                    answers[index] = self._next_step(states[index], draft, alone=len(states) == 1)
            return [answers[index] for index in range(len(states))]

    def _next_step(self, state: DecodeState, draft: Draft, *, alone: bool) -> Hypothesis | DecodeState:
        """Return the hypothesis, or the state for the next decode if the draft does not suffice."""
        if state.context and state.echo is None and echoes(draft.tokens, state.context, self._tokenizer_of(state)):
            return replace(state, echo=draft)
        if state.echo is not None and echoes(draft.tokens, state.echo.tokens, self._tokenizer_of(state)):
            draft = state.echo  # the words of the prompt were said
        if not state.foreign_scripts and self._writes_foreign_letters(state, draft):
            return replace(state, foreign_scripts=foreign_scripts(self._written_language(state)))
        request = state.request
        thresholds, temperatures = request.decoding.thresholds, request.decoding.temperatures
        if state.split is not None:
            hypothesis = self._hypothesis(state, draft, timed=True)
            return self._next_stretch(state, state.split.with_found(hypothesis, thresholds))
        best = max(filter(None, (state.best, draft)), key=lambda each: each.score(thresholds))
        # While others wait, only a worthless draft is decoded again.
        has_time = alone and not request.under_load
        worthless = draft.broken or (len(temperatures) > 1 and not draft.meets(thresholds))
        if request.final and state.best is None and (worthless or (draft.doubtful and has_time)):
            window = second_window(request)
            if len(window) > len(state.encoding) * FRAME:
                return replace(state, encoding=self._encoder.encode(window), timestamps=True, best=best)
        # A probable text that repeats itself may have been said: the stretches will tell, and chance would not.
        said = best.broken and best.average_log_probability >= thresholds.log_probability
        divisible = request.final and said and len(stretches(request.samples)) > 1
        if not divisible and not best.meets(thresholds) and state.step + 1 < len(temperatures):
            return replace(state, best=best, step=state.step + 1)
        return self._finish(state, best)

    def _writes_foreign_letters(self, state: DecodeState, draft: Draft) -> bool:
        """Whether the language was given and the draft has letters of a script that it is not written in."""
        given = state.request.language or self._only_language or state.request.translate
        text = self._tokenizer_of(state).decode(draft.tokens)
        return bool(given) and has_foreign_letters(text, self._written_language(state))

    @staticmethod
    def _written_language(state: DecodeState) -> str:
        return "en" if state.request.translate else state.language

    def _finish(self, state: DecodeState, draft: Draft) -> Hypothesis | DecodeState:
        """Return the hypothesis, or the state for decoding what the best draft leaves out."""
        request = state.request
        if not request.final:
            return self._joined(state, self._hypothesis(state, draft, timed=request.word_times))
        stopped = self._stopped_early(state, draft)
        part = state.truncated_to(draft.end) if stopped else state
        hypothesis = self._hypothesis(part, draft, timed=True)
        lost = longest_untranscribed(hypothesis.words, part.request.samples, part.request.voice)
        if not state.timestamps and lost >= MIN_REMAINDER * FRAME:
            return replace(state, timestamps=True)
        length = len(part.request.samples)
        doubtful = lost >= MIN_REMAINDER * FRAME or is_broken(hypothesis) or mostly_repeats(hypothesis.words)
        split = Split.of(request, length, hypothesis) if doubtful else None
        return self._continued(state, hypothesis, length) if split is None else self._stretch(state, split)

    def _continued(self, state: DecodeState, hypothesis: Hypothesis, length: int) -> Hypothesis | DecodeState:
        """Return the hypothesis of the first `length` samples, or the state for what follows them."""
        joined = self._joined(state, hypothesis)
        return joined if length == len(state.request.samples) else self._remainder(state, length, joined)

    def _next_stretch(self, state: DecodeState, split: Split) -> Hypothesis | DecodeState:
        """Return the state of the next stretch or, after the last one, what `_continued` returns."""
        if split.waiting:
            return self._stretch(state, replace(split, current=split.waiting[0], waiting=split.waiting[1:]))
        return self._continued(replace(state, request=split.request, split=None), split.result, split.length)

    def _stretch(self, state: DecodeState, split: Split) -> DecodeState:
        """Return the state of the current stretch of a split."""
        request = split.current_request
        encoding = self._encoder.encode(padded(request))
        return replace(state, request=request, encoding=encoding, timestamps=True, best=None, step=0, split=split)

    def _stopped_early(self, state: DecodeState, draft: Draft) -> bool:
        """Whether the last timestamp lies well before the end, and the word times do not contradict it."""
        if not (draft.tokens and MIN_REMAINDER <= draft.end <= state.frames - MIN_REMAINDER):
            return False
        last = self._align(state, self._tokenizer_of(state), draft.tokens)[-1]
        return last.start < draft.end * FRAME

    def _remainder(self, state: DecodeState, start: int, prefix: Hypothesis) -> DecodeState:
        """Return the state of the audio from sample `start` on, with the hypothesis of the audio before it."""
        request = state.request.part(start, len(state.request.samples))
        return replace(
            state,
            request=request,
            encoding=self._encoder.encode(padded(request)),
            best=None,
            step=0,
            prefix=prefix,
            start=state.start + start,
        )

    def _tokenizer(self, language: str, translate: bool) -> Tokenizer:
        key = (language, translate)
        if key not in self._tokenizers:
            try:
                self._tokenizers[key] = Tokenizer(
                    self._vocabulary, self._multilingual, "translate" if translate else "transcribe", language
                )
            except ValueError as exc:
                raise ClientError(f"Whisper does not know the language '{language}'.", param="language") from exc
        return self._tokenizers[key]

    def _tokenizer_of(self, state: DecodeState) -> Tokenizer:
        return self._tokenizer(state.language, state.request.translate)

    def _generate(self, states: Sequence[DecodeState]) -> list[Draft]:
        """Decode states that `batches` grouped."""
        decoding = states[0].request.decoding
        temperature = decoding.temperatures[states[0].step]
        timestamps = states[0].timestamps
        prompts = [
            state.prompt if timestamps else [*state.prompt, self._tokenizer_of(state).no_timestamps] for state in states
        ]
        bound = max(state.max_tokens for state in states)
        frames = max(state.memory for state in states)
        results = self._model.generate(
            self._encoder.memory([(state.encoding, frames) for state in states]),
            prompts,
            **generation(decoding, temperature),
            # CTranslate2 generates at most min(max_length / 2, max_length - prompt) tokens.
            suppress_tokens=[-1, *self._foreign_tokens.writing(states[0].foreign_scripts)],  # -1: those of the model
            max_length=min(MAX_LENGTH, max(2 * bound, bound + len(prompts[0]))),
            return_scores=True,
            return_no_speech_prob=True,
        )
        drafts = []
        for state, result in zip(states, results, strict=True):
            tokenizer = self._tokenizer_of(state)
            length = len(result.sequences_ids[0])
            tokens, end = parse_output(result.sequences_ids[0][: state.max_tokens], tokenizer, state.frames)
            drafts.append(
                Draft(
                    tokens=tokens,
                    # The score is divided by the number of tokens without the end token, but includes its probability.
                    average_log_probability=result.scores[0] * length**decoding.length_penalty / (length + 1),
                    no_speech_probability=result.no_speech_prob,
                    compression_ratio=compression_ratio(tokenizer.decode(tokens)),
                    ended=length < state.max_tokens,
                    temperature=temperature,
                    end=end,
                )
            )
        return drafts

    def _hypothesis(self, state: DecodeState, draft: Draft, *, timed: bool) -> Hypothesis:
        """Return the hypothesis of a draft for this state's audio alone."""
        tokenizer = self._tokenizer_of(state)
        if timed and draft.tokens:
            tokens = self._align(state, tokenizer, draft.tokens)
            words = bounded(words_of(tokens, tokenizer), state.request.samples, state.request.voice)
        else:
            words = words_of([TimedToken(token, 0, 0, 0.0) for token in draft.tokens], tokenizer)
        return Hypothesis(
            words=words,
            language=state.language,
            language_probability=state.language_probability,
            languages=state.languages,
            stretch_languages=state.stretch_languages,
            no_speech_probability=draft.no_speech_probability,
            average_log_probability=draft.average_log_probability,
            compression_ratio=draft.compression_ratio,
            log_likelihood_ratio=self._log_likelihood_ratio(state, draft),
            tokens=tuple(draft.tokens),
            temperature=draft.temperature,
            ended=draft.ended,
        )

    def _joined(self, state: DecodeState, hypothesis: Hypothesis) -> Hypothesis:
        """Append the hypothesis to that of the audio before, if it is plausible; leave out times nobody asked for."""
        if not state.request.word_times:
            hypothesis = replace(hypothesis, words=tuple(word.untimed() for word in hypothesis.words))
        if state.prefix is None:
            return hypothesis
        thresholds = state.request.decoding.thresholds
        if not meets(hypothesis, thresholds) or is_broken(hypothesis) or resembles_silence(hypothesis, thresholds):
            return state.prefix
        prefix = state.prefix
        if resembles_silence(prefix, thresholds):
            prefix = Hypothesis((), state.language, hypothesis.no_speech_probability, log_likelihood_ratio=0.0)
        return prefix.followed_by(hypothesis, state.start)

    def _log_likelihood_ratio(self, state: DecodeState, draft: Draft) -> float | None:
        """Compare doubtful text with silence; None for partials and for text that is probable."""
        if not (state.request.final and draft.tokens and draft.doubtful):
            return None
        return log_likelihood_ratio(
            self._model, self._tokenizer_of(state), draft.tokens, state.encoding, self._encoder.silence
        )

    def _align(self, state: DecodeState, tokenizer: Tokenizer, tokens: list[int]) -> list[TimedToken]:
        """Time each token by dynamic time warping over the cross-attention (openai/whisper, `timing.py`)."""
        result = self._model.align(
            storage([state.encoding]),
            tokenizer.sot_sequence,
            [tokens],
            2 * max(1, state.frames),
            median_filter_width=7,
        )[0]
        starts = [state.frames] * (len(tokens) + 1)
        for token, frame in reversed(result.alignments):
            starts[token] = min(starts[token], frame)
        return [
            TimedToken(token, starts[index] * FRAME, starts[index + 1] * FRAME, probability)
            for index, (token, probability) in enumerate(zip(tokens, result.text_token_probs, strict=False))
        ]


@contextmanager
def _converted_errors() -> Iterator[None]:
    """Raise the errors of CTranslate2 and faster-whisper as `EngineError`."""
    try:
        yield
    except (RuntimeError, ValueError) as exc:
        raise EngineError(f"Whisper failed: {exc}") from exc
