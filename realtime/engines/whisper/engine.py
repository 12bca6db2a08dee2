"""Whisper through faster-whisper and CTranslate2, on as little context as the audio needs (`whisper_excerpts`).

Decoding is greedy unless the request says otherwise, in batches, and with timestamp tokens: without them Whisper goes
on from one speaker to the one after the next. Where they show that a final stopped early, the rest is decoded on its
own. They fail on a hurry's few frames of silence, which therefore goes without; a final in whose words a stretch of
sound is missing is then decoded with them after all.

A final whose own evidence is bad is decoded once more in a wider window, and only where that is bad too at the
request's further temperatures; the best draft is kept. An excerpt that needs another decode is given back for it and
has its own turn. Word times come from cross-attention afterwards, in one parallel pass.

Source: CTranslate2's documentation of `Whisper.generate` for the meaning of `max_length`.
"""

import json
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
from tokenizers import Tokenizer as VocabularyTokenizer

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.catalogue.capabilities import RecognizerCapabilities
from realtime.catalogue.table import ENGLISH
from realtime.engines.whisper.cpu import enable_avx512
from realtime.engines.whisper.drafts import Draft, compression_ratio, parse_output
from realtime.engines.whisper.options import generation, preceding
from realtime.engines.whisper.windows import (
    FRAME,
    FULL_WINDOW_FRAMES,
    MAX_LENGTH,
    DecodeState,
    Encoding,
    batches,
    padded,
    padded_length,
    second_window,
    with_silence,
)
from realtime.engines.whisper.words import TimedToken, longest_untranscribed, without_pauses, words_of
from realtime.errors import ClientError, EngineError
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis

MIN_REMAINDER: Final = 100
"""Frames after the last word of a final that are decoded on their own: 2 s, more than a word or the pause after it."""

_FIRST_MERGE: Final = ("Ġ", "t")


class Whisper:
    """A Whisper model of any size in CTranslate2's format."""

    def __init__(
        self,
        directory: Path,
        *,
        languages: tuple[str, ...] = (),
        can_translate: bool = True,
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
            RecognizerCapabilities(languages, can_translate) if self._multilingual else RecognizerCapabilities(ENGLISH)
        )
        self.workers = workers
        self._model: ctranslate2.models.Whisper = model.model
        self._features = model.feature_extractor
        self._vocabulary = _mended(model.hf_tokenizer)
        self._tokenizers: dict[tuple[str, bool], Tokenizer] = {}
        # NumPy multiplies one small matrix per excerpt; the threads of its BLAS would only spin.
        threadpool_limits(limits=1, user_api="blas")
        self._silence = self._encode(np.zeros(FULL_WINDOW_FRAMES * FRAME, np.float32))
        self.partial_seconds = self._measure()

    def _measure(self) -> float:
        """Seconds of a partial: noise has few words, and nobody else is at work yet, so about twice what it takes."""
        noise = np.random.default_rng(0).normal(0, 0.01, 3 * SAMPLE_RATE).astype(np.float32)
        request = TranscriptionRequest(noise, language="en", final=False)
        self.decode([self.encode(request)])  # compiles the kernels
        began = time.perf_counter()
        self.decode([self.encode(request)])
        return 2 * (time.perf_counter() - began)

    def close(self) -> None:
        """Release the weights."""
        self._model.unload_model()

    def encode(self, request: TranscriptionRequest) -> DecodeState:
        """Listen. Raises `EngineError`, and `ClientError` for a language Whisper lacks."""
        with _failures():
            encoding = self._encode(padded(request))
            language = request.language or self._detect_language(encoding, request.candidates)
            tokenizer = self._tokenizer(language, request.translate)
            return DecodeState(
                request=request,
                encoding=encoding,
                language=tokenizer.language_code,
                prompt=[*preceding(request, tokenizer), *tokenizer.sot_sequence],
                timestamps=not request.under_load,
            )

    def decode(self, states: Sequence[DecodeState]) -> list[Hypothesis | DecodeState]:
        """Write down what was heard, in order; an excerpt that needs another look comes back. Raises `EngineError`."""
        with _failures():
            answers: dict[int, Hypothesis | DecodeState] = {}
            for batch in batches(states):
                drafts = self._generate([states[index] for index in batch])
                for index, draft in zip(batch, drafts, strict=True):
                    answers[index] = self._next_step(states[index], draft, alone=len(states) == 1)
            return [answers[index] for index in range(len(states))]

    def _next_step(self, state: DecodeState, draft: Draft, *, alone: bool) -> Hypothesis | DecodeState:
        """The answer, or the excerpt as it should be decoded next."""
        request = state.request
        thresholds, temperatures = request.decoding.thresholds, request.decoding.temperatures
        best = max(filter(None, (state.best, draft)), key=lambda each: each.score(thresholds))
        # In company or in a hurry there is no time for a second opinion, unless the first is worthless.
        patient = alone and not request.under_load
        worthless = draft.broken or (len(temperatures) > 1 and not draft.meets(thresholds))
        if request.final and state.best is None and (worthless or (draft.doubtful and patient)):
            window = second_window(request)
            if len(window) > len(state.encoding) * FRAME:
                return replace(state, encoding=self._encode(window), timestamps=True, best=best)
        if not best.meets(thresholds) and state.step + 1 < len(temperatures):
            return replace(state, best=best, step=state.step + 1)
        return self._finish(state, best)

    def _finish(self, state: DecodeState, draft: Draft) -> Hypothesis | DecodeState:
        """The answer, or the excerpt that is to be decoded because the best draft leaves something out."""
        request = state.request
        if request.final and self._stopped_early(state, draft):
            beginning = self._hypothesis(state.truncated_to(draft.end), draft)
            return self._remainder(state, draft.end * FRAME, beginning)
        hypothesis = self._hypothesis(state, draft)
        unchecked = request.final and request.word_times and not state.timestamps
        if unchecked and longest_untranscribed(hypothesis.words, request.samples) >= MIN_REMAINDER * FRAME:
            return replace(state, timestamps=True)
        return hypothesis

    def _stopped_early(self, state: DecodeState, draft: Draft) -> bool:
        """Whether a timestamp says so, and the attention does not contradict it."""
        if not (draft.tokens and MIN_REMAINDER <= draft.end <= state.frames - MIN_REMAINDER):
            return False
        last = self._align(state, self._tokenizer_of(state), draft.tokens)[-1]
        return last.start < draft.end * FRAME

    def _remainder(self, state: DecodeState, start: int, prefix: Hypothesis) -> DecodeState:
        """What begins at `start` of an excerpt that is written down up to there."""
        request = replace(state.request, samples=state.request.samples[start:])
        return replace(
            state,
            request=request,
            encoding=self._encode(padded(request)),
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

    def _encode(self, samples: Samples) -> Encoding:
        """Encode a whole number of frames."""
        features = self._features(samples, padding=FRAME // 2)[None, :, : len(samples) // (FRAME // 2)]
        encoded = self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features)), to_cpu=True)
        encoding: Encoding = np.asarray(encoded)[0]
        return encoding

    def _detect_language(self, encoding: Encoding, candidates: Sequence[str]) -> str:
        if len(self.capabilities.languages) == 1:
            return self.capabilities.languages[0]
        memory = _storage([with_silence(encoding, self._silence, padded_length(encoding))])
        likeliest: list[str] = [token.strip("<|>") for token, _ in self._model.detect_language(memory)[0]]
        return next((each for each in likeliest if each in candidates), likeliest[0])

    def _generate(self, states: Sequence[DecodeState]) -> list[Draft]:
        """Decode excerpts that `batches` put together."""
        decoding = states[0].request.decoding
        temperature = decoding.temperatures[states[0].step]
        timestamps = states[0].timestamps
        prompts = [
            state.prompt if timestamps else [*state.prompt, self._tokenizer_of(state).no_timestamps] for state in states
        ]
        bound = max(state.max_tokens for state in states)
        frames = max(state.memory for state in states)
        results = self._model.generate(
            _storage([with_silence(state.encoding, self._silence, frames) for state in states]),
            prompts,
            **generation(decoding, temperature),
            # CTranslate2 generates at most min(max_length / 2, max_length - prompt) tokens.
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
                    # The score is the mean over the tokens without the end token, whose probability it includes.
                    average_log_probability=result.scores[0] * length**decoding.length_penalty / (length + 1),
                    no_speech_probability=result.no_speech_prob,
                    compression_ratio=compression_ratio(tokenizer.decode(tokens)),
                    ended=length < state.max_tokens,
                    temperature=temperature,
                    end=end,
                )
            )
        return drafts

    def _hypothesis(self, state: DecodeState, draft: Draft) -> Hypothesis:
        tokenizer = self._tokenizer_of(state)
        if state.request.word_times and draft.tokens:
            tokens = self._align(state, tokenizer, draft.tokens)
            words = without_pauses(words_of(tokens, tokenizer), state.request.samples)
        else:
            words = words_of([TimedToken(token, 0, 0, 0.0) for token in draft.tokens], tokenizer)
        hypothesis = Hypothesis(
            words=words,
            language=state.language,
            no_speech_probability=draft.no_speech_probability,
            average_log_probability=draft.average_log_probability,
            compression_ratio=draft.compression_ratio,
            tokens=tuple(draft.tokens),
            temperature=draft.temperature,
            ended=draft.ended,
        )
        if state.prefix is None:
            return hypothesis
        believed = draft.meets(state.request.decoding.thresholds) and not draft.broken
        return state.prefix.followed_by(hypothesis, state.start) if believed else state.prefix

    def _align(self, state: DecodeState, tokenizer: Tokenizer, tokens: list[int]) -> list[TimedToken]:
        """When each token was said, by dynamic time warping over the cross-attention (openai/whisper, timing.py)."""
        result = self._model.align(
            _storage([state.encoding]),
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


def _mended(vocabulary: VocabularyTokenizer) -> VocabularyTokenizer:
    """Add the merge of a space and a `t` where it is missing, as in the files of OpenAI's multilingual models.

    Without it " the" and " to" in a prompt become tokens that Whisper never saw there.
    """
    description = json.loads(vocabulary.to_str())
    merges = description["model"].get("merges", [])
    if not merges or list(_FIRST_MERGE) in merges or "".join(_FIRST_MERGE) not in description["model"]["vocab"]:
        return vocabulary
    description["model"]["merges"] = [list(_FIRST_MERGE), *merges]
    return vocabulary.from_str(json.dumps(description))


@contextmanager
def _failures() -> Iterator[None]:
    """CTranslate2's and faster-whisper's failures as ours."""
    try:
        yield
    except (RuntimeError, ValueError) as exc:
        raise EngineError(f"Whisper failed: {exc}") from exc


def _storage(memory: Sequence[Encoding]) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(memory)))
