"""What is asked of a recognizer."""

from dataclasses import dataclass, field

from realtime.audio.formats import SAMPLE_RATE, Samples


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a hypothesis is doubted; the defaults are those of Radford et al. (2022), 4.5.

    More `no_speech` probability, less average `log_probability`, a higher `compression_ratio`.
    """

    no_speech: float = 0.6
    log_probability: float = -1.0
    compression_ratio: float = 2.4


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How to look for the most likely text.

    The next of `temperatures` is tried where what the one before gave is doubted by the `thresholds`; 0 is a search
    with `beam_size` and `patience`, more than that is the best of `best_of` samples. The penalties are CTranslate2's.
    """

    temperatures: tuple[float, ...] = (0.0,)
    beam_size: int = 1
    best_of: int = 1
    patience: float = 1.0
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    thresholds: Thresholds = Thresholds()
    thorough: bool = False
    """Whether the answer may take a little longer, to be a little better."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """Audio to transcribe: at most 30 s of mono samples at 16 kHz.

    `language` None means detect it, among `candidates` where there are any. `prompt` is text that came before,
    `hotwords` are words to expect. `final` asks for the best answer rather than the cheapest; `word_times` for times
    and probabilities of the words; `translate` for English. `under_load` says that others wait: the
    cheapest context will do, and an answer that is merely doubtful gets no second look, unless it leaves much unsaid.
    """

    samples: Samples = field(repr=False)
    language: str | None = None
    candidates: tuple[str, ...] = ()
    prompt: str = field(default="", repr=False)
    hotwords: str = field(default="", repr=False)
    final: bool = True
    word_times: bool = False
    translate: bool = False
    under_load: bool = False
    decoding: DecodingOptions = DecodingOptions()

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE
