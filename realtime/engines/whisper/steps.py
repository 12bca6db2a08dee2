"""What is decoded next: the steps from the first draft of a request to its hypothesis.

Most requests need one draft. Each step below that applies decodes once more, as a turn of its own in the queue:

1. *Without the prompt*, if the draft consists of the prompt's words (`echo`).
2. *Without other scripts*, if it has letters that the given language is not written in (`scripts`).
3. *In a wider window*, a final whose evidence is bad (`drafts`).
4. *At further temperatures*, those of the request, until a draft suffices. The draft with the best score goes on.
5. *With the terms to expect*, if there are any, except under load (`terms`).
6. *With timestamps*, a final that was decoded without and leaves sound without words. The tail padding of finals under
   load is too short for reliable timestamps. Elsewhere they are on from the beginning: without them Whisper skips the
   sentence of a speaker who follows another closely.
7. *Stretch by stretch*, a final that repeats itself, leaves sound without words or has fewer words than there are
   stretches of speech (`stretches`). A stretch takes steps 1 and 2 only.
8. *The remainder*, if the last timestamp shows that a final stopped early. It takes all steps again.

Partials take steps 1, 2, 4 and 5 only.
"""

from dataclasses import replace
from typing import Final

from realtime.engines.whisper.decoder import Decoder
from realtime.engines.whisper.drafts import Draft, is_broken, meets
from realtime.engines.whisper.echo import echoes
from realtime.engines.whisper.encoder import Encoder
from realtime.engines.whisper.options import preceding
from realtime.engines.whisper.scripts import foreign_scripts, has_foreign_letters
from realtime.engines.whisper.stretches import Split, stretches
from realtime.engines.whisper.terms import terms_of, with_terms
from realtime.engines.whisper.windows import FRAME, DecodeState, padded, second_window
from realtime.engines.whisper.words import TimedToken
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.suppression import resembles_silence
from realtime.speech.transcript import Hypothesis, mostly_repeats
from realtime.speech.word_times import longest_untranscribed, speech_stretches

MIN_UNTRANSCRIBED: Final = 100
"""Fewest frames without words that are worth another decode: 2 s, more than a word with the pause after it."""

Step = Hypothesis | DecodeState
"""The hypothesis of a request, or the state to decode next."""


class Steps:
    """The policy that takes a draft and returns the next step."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        self._encoder = encoder
        self._decoder = decoder

    def after(self, state: DecodeState, draft: Draft, *, alone: bool) -> Step:
        """Return the step after a draft of `state`; `alone` says that it shared its batch with no other request."""
        tokenizer = self._decoder.tokenizer_of(state)
        if state.unbiased is not None:
            return self._after_terms(state, state.unbiased, draft)
        if state.context and echoes(draft.tokens, state.context, tokenizer):
            return replace(state, context=[], echo=draft)
        if state.echo is not None and echoes(draft.tokens, state.echo.tokens, tokenizer):
            draft = state.echo  # the words of the prompt were said
        if not state.foreign_scripts and self._writes_foreign_letters(state, draft):
            return replace(state, foreign_scripts=foreign_scripts(_written_language(state)))
        if state.split is not None:
            return self._after_stretch(state, state.split, draft)
        if retry := self._retry(state, draft, alone=alone):
            return retry
        best = self._best(state, draft)
        if best.tokens and not state.request.under_load and terms_of(state.request):
            context = preceding(state.request, tokenizer, terms=True)
            return replace(state, context=context, unbiased=best, best=None, step=0)
        return self._after_best(state, best)

    def _after_terms(self, state: DecodeState, unbiased: Draft, biased: Draft) -> Step:
        """Return the step after a decode with the terms to expect."""
        tokenizer = self._decoder.tokenizer_of(state)
        tokens = with_terms(terms_of(state.request), unbiased.tokens, biased.tokens, tokenizer)
        context = preceding(state.request, tokenizer, terms=False)
        probabilities = unbiased.probabilities if tokens == unbiased.tokens else ()  # those of terms are not comparable
        draft = replace(unbiased, tokens=tokens, probabilities=probabilities, boundaries=())
        return self._after_best(replace(state, context=context, unbiased=None), draft)

    def _writes_foreign_letters(self, state: DecodeState, draft: Draft) -> bool:
        """Whether the language was given and the draft has letters of a script that it is not written in."""
        given = not state.languages or state.request.translate
        text = self._decoder.tokenizer_of(state).decode(draft.tokens)
        return given and has_foreign_letters(text, _written_language(state))

    @staticmethod
    def _best(state: DecodeState, draft: Draft) -> Draft:
        """Return the best of the drafts so far."""
        thresholds = state.request.decoding.thresholds
        return max(filter(None, (state.best, draft)), key=lambda each: each.score(thresholds))

    def _retry(self, state: DecodeState, draft: Draft, *, alone: bool) -> DecodeState | None:
        """Return the state for decoding the same audio in a wider window or at the next temperature, if need be."""
        request, best = state.request, self._best(state, draft)
        thresholds, temperatures = request.decoding.thresholds, request.decoding.temperatures
        # While others wait, only a worthless draft is decoded again.
        has_time = alone and not request.under_load
        worthless = draft.broken or (len(temperatures) > 1 and not draft.meets(thresholds))
        if request.final and state.best is None and (worthless or (draft.doubtful and has_time)):
            window = second_window(request)
            if len(window) > len(state.encoding) * FRAME:
                return replace(state, encoding=self._encoder.encode(window), timestamps=True, best=best)
        # A probable text that repeats itself may have been said: the stretches show it, higher temperatures would not.
        said = best.broken and best.average_log_probability >= thresholds.log_probability
        divisible = request.final and said and len(stretches(request.samples)) > 1
        if not divisible and not best.meets(thresholds) and state.step + 1 < len(temperatures):
            return replace(state, best=best, step=state.step + 1)
        return None

    def _after_best(self, state: DecodeState, draft: Draft) -> Step:
        """Return the hypothesis of the best draft, or the state for decoding what it leaves out."""
        request = state.request
        if not request.final:
            tokens = self._decoder.align(state, draft) if request.word_times else []
            return _joined(state, self._decoder.hypothesis(state, draft, tokens))
        tokens = self._decoder.align(state, draft)
        part = state
        if _stopped_early(state, draft, tokens):
            part = state.truncated_to(draft.end)
            tokens = self._decoder.align(part, draft)
        hypothesis = self._decoder.hypothesis(part, draft, tokens)
        lost = longest_untranscribed(hypothesis.words, part.request.samples, part.request.voice)
        incomplete = lost >= MIN_UNTRANSCRIBED * FRAME
        if incomplete and not state.timestamps:
            return replace(state, timestamps=True)
        length = len(part.request.samples)
        if incomplete or _lacks_words(part, hypothesis) or is_broken(hypothesis) or mostly_repeats(hypothesis.words):
            split = Split.of(request, length, hypothesis)
            if split is not None:
                return self._stretch(state, split)
        return self._after_part(state, hypothesis, length)

    def _after_part(self, state: DecodeState, hypothesis: Hypothesis, length: int) -> Step:
        """Return the hypothesis of the first `length` samples, or the state for what follows them."""
        joined = _joined(state, hypothesis)
        end = len(state.request.samples)
        if length == end:
            return joined
        remainder = self._restarted(state, state.request.part(length, end))
        return replace(remainder, prefix=joined, start=state.start + length)

    def _after_stretch(self, state: DecodeState, split: Split, draft: Draft) -> Step:
        """Return the state of the next stretch or, after the last one, the step after all of them."""
        tokens = self._decoder.align(state, draft)
        hypothesis = self._decoder.hypothesis(state, draft, tokens)
        split = split.with_found(hypothesis, state.request.decoding.thresholds)
        if split.waiting:
            return self._stretch(state, replace(split, current=split.waiting[0], waiting=split.waiting[1:]))
        return self._after_part(replace(state, request=split.request, split=None), split.result, split.length)

    def _stretch(self, state: DecodeState, split: Split) -> DecodeState:
        """Return the state of the current stretch of a split."""
        return replace(self._restarted(state, split.current_request), timestamps=True, split=split)

    def _restarted(self, state: DecodeState, request: TranscriptionRequest) -> DecodeState:
        """Return the state for decoding a part of the audio, without a draft of it."""
        encoding = self._encoder.encode(padded(request))
        return replace(state, request=request, encoding=encoding, echo=None, best=None, step=0)


def _written_language(state: DecodeState) -> str:
    return "en" if state.request.translate else state.language


def _stopped_early(state: DecodeState, draft: Draft, tokens: list[TimedToken]) -> bool:
    """Whether the last timestamp lies well before the end, and the times of the tokens do not contradict it."""
    in_time = MIN_UNTRANSCRIBED <= draft.end <= state.frames - MIN_UNTRANSCRIBED
    return in_time and len(tokens) > 0 and tokens[-1].start < draft.end * FRAME


def _lacks_words(state: DecodeState, hypothesis: Hypothesis) -> bool:
    """Whether there are fewer words than stretches of speech between pauses, as of a digit that is said twice."""
    request = state.request
    return 0 < len(hypothesis.words) < len(speech_stretches(request.samples, request.voice))


def _joined(state: DecodeState, hypothesis: Hypothesis) -> Hypothesis:
    """Append the hypothesis to that of the audio before, if it is plausible. Drop times that were not requested."""
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
