"""Whisper's decoder: it generates text for encoded audio, aligns text with audio, and compares it with silence.

Generation is greedy unless the request says otherwise, and batched. Comparison takes one parallel pass over the tokens
of a text, and so does alignment, unless the attention with which the text was generated shows it.

Source: CTranslate2's documentation of `Whisper.generate`, for the meaning of `max_length`.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import ctranslate2
import numpy as np
from faster_whisper.tokenizer import Tokenizer
from tokenizers import Tokenizer as Vocabulary

from realtime.engines.whisper.drafts import Draft, compression_ratio, parse_output
from realtime.engines.whisper.encoder import Encoder, storage
from realtime.engines.whisper.likelihood import log_likelihood
from realtime.engines.whisper.options import generation
from realtime.engines.whisper.scripts import ForeignTokens
from realtime.engines.whisper.speculative import Excerpt, Generated, SpeculativeDecoder
from realtime.engines.whisper.windows import FRAME, MAX_LENGTH, DecodeState, Encoding
from realtime.engines.whisper.words import TimedToken, words_of
from realtime.errors import ClientError
from realtime.speech.transcript import Hypothesis
from realtime.speech.voice import sound_shape
from realtime.speech.word_times import bounded


class Decoder:
    """The decoder of a model, with its tokenizers."""

    def __init__(
        self,
        model: ctranslate2.models.Whisper,
        vocabulary: Vocabulary,
        encoder: Encoder,
        greedy: SpeculativeDecoder | None,
    ) -> None:
        """Use `greedy`, if there is one, for greedy text of which some is expected; without, CTranslate2 is faster."""
        self._model = model
        self._vocabulary = vocabulary
        self._encoder = encoder
        self._greedy = greedy
        self._foreign_tokens = ForeignTokens(vocabulary)
        self._tokenizers: dict[tuple[str, bool], Tokenizer] = {}

    def close(self) -> None:
        """Free what the decoder has beside the model."""
        if self._greedy is not None:
            self._greedy.close()
            self._greedy = None

    def tokenizer(self, language: str, *, translate: bool) -> Tokenizer:
        """Return the tokenizer of a language and task. Raises `ClientError` if Whisper does not know the language."""
        key = (language, translate)
        if key not in self._tokenizers:
            task = "translate" if translate else "transcribe"
            try:
                self._tokenizers[key] = Tokenizer(self._vocabulary, self._model.is_multilingual, task, language)
            except ValueError as exc:
                raise ClientError(f"Whisper does not know the language '{language}'.", param="language") from exc
        return self._tokenizers[key]

    def tokenizer_of(self, state: DecodeState) -> Tokenizer:
        """Return the tokenizer of a state."""
        return self.tokenizer(state.language, translate=state.request.translate)

    def generate(self, states: Sequence[DecodeState]) -> list[Draft]:
        """Generate a draft for each of the states that `batches` grouped."""
        if self._greedy is not None and states[0].is_greedy and any(state.request.expected for state in states):
            texts = self._greedy.generate([self._excerpt(state) for state in states])
            return [self._draft(state, text) for state, text in zip(states, texts, strict=True)]
        decoding = states[0].request.decoding
        bound = max(state.max_tokens for state in states)
        frames = max(state.memory for state in states)
        prompts = [self._prompt(state) for state in states]
        with_probabilities = self._model.device == "cpu" and not all(state.request.final for state in states)
        results = self._model.generate(
            self._encoder.memory([(state.encoding, frames) for state in states]),
            prompts,
            **generation(decoding, decoding.temperatures[states[0].step]),
            # CTranslate2 generates at most min(max_length / 2, max_length - prompt) tokens.
            suppress_tokens=[-1, *self._foreign_tokens.writing(states[0].foreign_scripts)],  # -1: those of the model
            max_length=min(MAX_LENGTH, max(2 * bound, bound + len(prompts[0]))),
            return_scores=True,
            return_no_speech_prob=True,
            return_logits_vocab=with_probabilities,
        )
        drafts = []
        for state, result in zip(states, results, strict=True):
            tokens = result.sequences_ids[0]
            # The score is divided by the number of tokens without the end token, but includes its probability.
            log_probability = result.scores[0] * len(tokens) ** decoding.length_penalty
            text = Generated(tokens, log_probability, result.no_speech_prob)
            if with_probabilities and not state.request.final:
                text.probabilities = [
                    _probability(logits, token) if token < self.tokenizer_of(state).eot else 1.0
                    for logits, token in zip(result.logits[0], tokens[: state.max_tokens], strict=False)
                ]
            drafts.append(self._draft(state, text))
        return drafts

    def _prompt(self, state: DecodeState) -> list[int]:
        """Return the tokens before the text, and before the first timestamp."""
        return state.prompt if state.timestamps else [*state.prompt, self.tokenizer_of(state).no_timestamps]

    def _excerpt(self, state: DecodeState) -> Excerpt:
        """Return what is generated for a state."""
        tokenizer = self.tokenizer_of(state)
        known = state.unbiased or state.best
        expected = known.tokens if known else tokenizer.encode(state.request.expected)
        begin = [tokenizer.timestamp_begin] if state.timestamps and expected else []
        return Excerpt(
            encoding=state.encoding,
            memory_frames=state.memory,
            prompt=self._prompt(state),
            expected=[*begin, *expected][: state.max_tokens - 1],
            max_tokens=state.max_tokens,
            audio_frames=state.frames,
            timed=state.request.word_times and not state.timestamps,
        )

    def _draft(self, state: DecodeState, generated: Generated) -> Draft:
        """Return the draft of a state by what was generated for it."""
        tokenizer = self.tokenizer_of(state)
        places, end = parse_output(generated.tokens[: state.max_tokens], tokenizer, state.frames)
        tokens = [generated.tokens[place] for place in places]
        draft = Draft(
            tokens=tokens,
            average_log_probability=generated.log_probability / (len(generated.tokens) + 1),
            no_speech_probability=generated.no_speech_probability,
            compression_ratio=compression_ratio(tokenizer.decode(tokens)),
            ended=len(generated.tokens) < state.max_tokens,
            temperature=state.request.decoding.temperatures[state.step],
            end=end,
        )
        all_timed = len(generated.boundaries) == len(tokens) + 1
        boundaries = generated.boundaries if all_timed and not _is_compared(state, draft) else []
        if state.request.final and not boundaries:
            return draft  # alignment gives the probabilities as well
        probabilities = [generated.probabilities[place] for place in places] if generated.probabilities else []
        return replace(draft, probabilities=tuple(probabilities), boundaries=tuple(boundaries))

    def align(self, state: DecodeState, draft: Draft) -> list[TimedToken]:
        """Time the tokens of a draft by dynamic time warping over the cross-attention (openai/whisper, `timing.py`)."""
        tokens = draft.tokens
        if not tokens:
            return []
        if draft.boundaries:
            spans = pairwise(boundary * FRAME for boundary in draft.boundaries)
            return [
                TimedToken(token, start, end, probability)
                for token, (start, end), probability in zip(tokens, spans, draft.probabilities, strict=True)
            ]
        path, probabilities = self._align(state, state.encoding, tokens)
        starts = [state.frames] * (len(tokens) + 1)
        for token, frame in reversed(path):
            starts[token] = min(starts[token], frame)
        return [
            TimedToken(token, starts[index] * FRAME, starts[index + 1] * FRAME, probability)
            for index, (token, probability) in enumerate(zip(tokens, probabilities, strict=False))
        ]

    def hypothesis(self, state: DecodeState, draft: Draft, timed: Sequence[TimedToken] = ()) -> Hypothesis:
        """Return the hypothesis of a draft for this state's audio alone.

        `timed` are the tokens of the draft, aligned with that audio; without them the words have no times. The
        probabilities are those of the draft, or without any those of the alignment.
        """
        tokenizer = self.tokenizer_of(state)
        words = words_of(_with_probabilities(draft, timed), tokenizer)
        likelihood, ratio = self._log_likelihoods(state, draft, timed)
        sound, edges = sound_shape(state.request.samples) if state.request.is_short else (None, None)
        return Hypothesis(
            words=bounded(words, state.request.samples, state.request.voice) if timed else words,
            language=state.language,
            language_probability=state.language_probability,
            languages=state.languages,
            stretch_languages=state.stretch_languages,
            no_speech_probability=draft.no_speech_probability,
            average_log_probability=draft.average_log_probability,
            compression_ratio=draft.compression_ratio,
            sound=sound,
            sound_edges=edges,
            log_likelihood=likelihood,
            log_likelihood_ratio=ratio,
            tokens=tuple(draft.tokens),
            temperature=draft.temperature,
            ended=draft.ended,
        )

    def _log_likelihoods(
        self, state: DecodeState, draft: Draft, timed: Sequence[TimedToken]
    ) -> tuple[float | None, float | None]:
        """Compare the text of a final with silence if it is doubtful or the speech is short.

        Return its log-likelihood given the audio, and that less the one given silence; None if they are not needed.
        """
        if not (timed and _is_compared(state, draft)):
            return None, None
        _, given_silence = self._align(state, self._encoder.silence[: len(state.encoding)], draft.tokens)
        likelihood = log_likelihood(token.probability for token in timed)
        return likelihood, likelihood - log_likelihood(given_silence)

    def _align(
        self, state: DecodeState, encoding: Encoding, tokens: Sequence[int]
    ) -> tuple[list[tuple[int, int]], list[float]]:
        """Return the path of pairs of token and frame, and the probabilities of the tokens given the encoding."""
        result = self._model.align(
            storage([encoding]),
            self.tokenizer_of(state).sot_sequence,
            [list(tokens)],
            2 * max(1, state.frames),
            median_filter_width=7,
        )[0]
        return result.alignments, result.text_token_probs


def _is_compared(state: DecodeState, draft: Draft) -> bool:
    """Whether the text of a draft is compared with silence, which takes an alignment given the audio (`likelihood`)."""
    return state.request.final and (state.request.is_short or draft.doubtful)


def _with_probabilities(draft: Draft, timed: Sequence[TimedToken]) -> list[TimedToken]:
    """Return the tokens of a draft with their times and probabilities, as far as these are known."""
    tokens = timed or [TimedToken(token, 0, 0, 0.0) for token in draft.tokens]
    if not draft.probabilities:
        return list(tokens)
    return [replace(token, probability=each) for token, each in zip(tokens, draft.probabilities, strict=True)]


def _probability(logits: ctranslate2.StorageView, token: int) -> float:
    """Return the probability of a token by the logits of its step."""
    values = np.asarray(logits)
    return float(1 / np.exp(values - values[token]).sum())
