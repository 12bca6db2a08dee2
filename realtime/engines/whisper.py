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

from realtime.audio import SAMPLE_RATE, Samples
from realtime.engines.whisper_drafts import Draft, compression_ratio, said
from realtime.engines.whisper_excerpts import (
    CONTEXT,
    FRAME,
    MAX_LENGTH,
    Encoding,
    Excerpt,
    batches,
    padded,
    room,
    second_window,
    with_silence,
)
from realtime.engines.whisper_options import generation, preceding
from realtime.engines.whisper_vectors import prefer_wide_vectors
from realtime.engines.whisper_words import Token, unwritten, without_pauses, words_of
from realtime.errors import ClientError, EngineError
from realtime.transcript import Hypothesis, TranscriptionRequest

REST: Final = 100
"""Frames after the last word of a final that are decoded on their own: 2 s, more than a word or the pause after it."""

_FIRST_MERGE: Final = ("Ġ", "t")


class Whisper:
    """A Whisper model of any size in CTranslate2's format."""

    def __init__(
        self,
        directory: Path,
        *,
        language: str | None = None,
        device: str = "auto",
        device_index: int = 0,
        compute_type: str = "default",
        workers: int = 1,
        threads: int = 0,
    ) -> None:
        """Load the model for `workers` threads that call it, with `threads` of its own each. Raises `EngineError`.

        `language` is the only one it was trained for, whatever its vocabulary can spell.
        """
        prefer_wide_vectors()
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
        self.multilingual: bool = model.model.is_multilingual
        self.workers = workers
        self._language = language if self.multilingual else "en"
        self._model: ctranslate2.models.Whisper = model.model
        self._features = model.feature_extractor
        self._vocabulary = _mended(model.hf_tokenizer)
        self._tokenizers: dict[tuple[str, bool], Tokenizer] = {}
        # NumPy multiplies one small matrix per excerpt; the threads of its BLAS would only spin.
        threadpool_limits(limits=1, user_api="blas")
        self._silence = self._encode(np.zeros(CONTEXT * FRAME, np.float32))
        self.partial_cost = self._measure()

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

    def encode(self, request: TranscriptionRequest) -> Excerpt:
        """Listen. Raises `EngineError`, and `ClientError` for a language Whisper lacks."""
        with _failures():
            encoding = self._encode(padded(request))
            language = request.language or self._detect_language(encoding, request.candidates)
            tokenizer = self._tokenizer(language, request.translate)
            return Excerpt(
                request=request,
                encoding=encoding,
                language=tokenizer.language_code,
                prompt=[*preceding(request, tokenizer), *tokenizer.sot_sequence],
                timestamps=not request.hurried,
            )

    def decode(self, excerpts: Sequence[Excerpt]) -> list[Hypothesis | Excerpt]:
        """Write down what was heard, in order; an excerpt that needs another look comes back. Raises `EngineError`."""
        with _failures():
            answers: dict[int, Hypothesis | Excerpt] = {}
            for batch in batches(excerpts):
                drafts = self._generate([excerpts[index] for index in batch])
                for index, draft in zip(batch, drafts, strict=True):
                    answers[index] = self._judged(excerpts[index], draft, alone=len(excerpts) == 1)
            return [answers[index] for index in range(len(excerpts))]

    def _judged(self, excerpt: Excerpt, draft: Draft, *, alone: bool) -> Hypothesis | Excerpt:
        """The answer, or the excerpt as it should be decoded next."""
        request = excerpt.request
        thresholds, temperatures = request.decoding.thresholds, request.decoding.temperatures
        best = max(filter(None, (excerpt.best, draft)), key=lambda each: each.worth(thresholds))
        # In company or in a hurry there is no time for a second opinion, unless the first is worthless.
        patient = alone and not request.hurried
        worthless = draft.broken or (len(temperatures) > 1 and not draft.meets(thresholds))
        if request.final and excerpt.best is None and (worthless or (draft.doubtful and patient)):
            window = second_window(request)
            if len(window) > len(excerpt.encoding) * FRAME:
                return replace(excerpt, encoding=self._encode(window), timestamps=True, best=best)
        if not best.meets(thresholds) and excerpt.step + 1 < len(temperatures):
            return replace(excerpt, best=best, step=excerpt.step + 1)
        return self._settled(excerpt, best)

    def _settled(self, excerpt: Excerpt, draft: Draft) -> Hypothesis | Excerpt:
        """The answer, or the excerpt that is to be decoded because the best draft leaves something out."""
        request = excerpt.request
        if request.final and self._stopped_early(excerpt, draft):
            beginning = self._hypothesis(excerpt.until(draft.end), draft)
            return self._rest(excerpt, draft.end * FRAME, beginning)
        hypothesis = self._hypothesis(excerpt, draft)
        unchecked = request.final and request.word_times and not excerpt.timestamps
        if unchecked and unwritten(hypothesis.words, request.samples) >= REST * FRAME:
            return replace(excerpt, timestamps=True)
        return hypothesis

    def _stopped_early(self, excerpt: Excerpt, draft: Draft) -> bool:
        """Whether a timestamp says so, and the attention does not contradict it."""
        if not (draft.tokens and REST <= draft.end <= excerpt.frames - REST):
            return False
        last = self._align(excerpt, self._tokenizer_of(excerpt), draft.tokens)[-1]
        return last.start < draft.end * FRAME

    def _rest(self, excerpt: Excerpt, start: int, before: Hypothesis) -> Excerpt:
        """What begins at `start` of an excerpt that is written down up to there."""
        request = replace(excerpt.request, samples=excerpt.request.samples[start:])
        return replace(
            excerpt,
            request=request,
            encoding=self._encode(padded(request)),
            best=None,
            step=0,
            before=before,
            start=excerpt.start + start,
        )

    def _tokenizer(self, language: str, translate: bool) -> Tokenizer:
        key = (language, translate)
        if key not in self._tokenizers:
            try:
                self._tokenizers[key] = Tokenizer(
                    self._vocabulary, self.multilingual, "translate" if translate else "transcribe", language
                )
            except ValueError as exc:
                raise ClientError(f"Whisper does not know the language '{language}'.", param="language") from exc
        return self._tokenizers[key]

    def _tokenizer_of(self, excerpt: Excerpt) -> Tokenizer:
        return self._tokenizer(excerpt.language, excerpt.request.translate)

    def _encode(self, samples: Samples) -> Encoding:
        """Encode a whole number of frames."""
        features = self._features(samples, padding=FRAME // 2)[None, :, : len(samples) // (FRAME // 2)]
        encoded = self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features)), to_cpu=True)
        encoding: Encoding = np.asarray(encoded)[0]
        return encoding

    def _detect_language(self, encoding: Encoding, candidates: Sequence[str]) -> str:
        if self._language:
            return self._language
        memory = _storage([with_silence(encoding, self._silence, room(encoding))])
        likeliest: list[str] = [token.strip("<|>") for token, _ in self._model.detect_language(memory)[0]]
        return next((each for each in likeliest if each in candidates), likeliest[0])

    def _generate(self, excerpts: Sequence[Excerpt]) -> list[Draft]:
        """Decode excerpts that `batches` put together."""
        decoding = excerpts[0].request.decoding
        temperature = decoding.temperatures[excerpts[0].step]
        timestamps = excerpts[0].timestamps
        prompts = [
            excerpt.prompt if timestamps else [*excerpt.prompt, self._tokenizer_of(excerpt).no_timestamps]
            for excerpt in excerpts
        ]
        bound = max(excerpt.most_tokens for excerpt in excerpts)
        frames = max(excerpt.memory for excerpt in excerpts)
        results = self._model.generate(
            _storage([with_silence(excerpt.encoding, self._silence, frames) for excerpt in excerpts]),
            prompts,
            **generation(decoding, temperature),
            # CTranslate2 generates at most min(max_length / 2, max_length - prompt) tokens.
            max_length=min(MAX_LENGTH, max(2 * bound, bound + len(prompts[0]))),
            return_scores=True,
            return_no_speech_prob=True,
        )
        drafts = []
        for excerpt, result in zip(excerpts, results, strict=True):
            tokenizer = self._tokenizer_of(excerpt)
            length = len(result.sequences_ids[0])
            tokens, end = said(result.sequences_ids[0][: excerpt.most_tokens], tokenizer, excerpt.frames)
            drafts.append(
                Draft(
                    tokens=tokens,
                    # The score is the mean over the tokens without the end token, whose probability it includes.
                    average_log_probability=result.scores[0] * length**decoding.length_penalty / (length + 1),
                    no_speech_probability=result.no_speech_prob,
                    compression_ratio=compression_ratio(tokenizer.decode(tokens)),
                    ended=length < excerpt.most_tokens,
                    temperature=temperature,
                    end=end,
                )
            )
        return drafts

    def _hypothesis(self, excerpt: Excerpt, draft: Draft) -> Hypothesis:
        tokenizer = self._tokenizer_of(excerpt)
        if excerpt.request.word_times and draft.tokens:
            tokens = self._align(excerpt, tokenizer, draft.tokens)
            words = without_pauses(words_of(tokens, tokenizer), excerpt.request.samples)
        else:
            words = words_of([Token(token, 0, 0, 0.0) for token in draft.tokens], tokenizer)
        hypothesis = Hypothesis(
            words=words,
            language=excerpt.language,
            no_speech_probability=draft.no_speech_probability,
            average_log_probability=draft.average_log_probability,
            compression_ratio=draft.compression_ratio,
            tokens=tuple(draft.tokens),
            temperature=draft.temperature,
            ended=draft.ended,
        )
        if excerpt.before is None:
            return hypothesis
        believed = draft.meets(excerpt.request.decoding.thresholds) and not draft.broken
        return excerpt.before.followed_by(hypothesis, excerpt.start) if believed else excerpt.before

    def _align(self, excerpt: Excerpt, tokenizer: Tokenizer, tokens: list[int]) -> list[Token]:
        """When each token was said, by dynamic time warping over the cross-attention (openai/whisper, timing.py)."""
        result = self._model.align(
            _storage([excerpt.encoding]),
            tokenizer.sot_sequence,
            [tokens],
            2 * max(1, excerpt.frames),
            median_filter_width=7,
        )[0]
        starts = [excerpt.frames] * (len(tokens) + 1)
        for token, frame in reversed(result.alignments):
            starts[token] = min(starts[token], frame)
        return [
            Token(token, starts[index] * FRAME, starts[index + 1] * FRAME, probability)
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
