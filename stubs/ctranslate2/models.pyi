"""The Whisper model of CTranslate2."""

from collections.abc import Sequence

from ctranslate2 import StorageView

class WhisperGenerationResult:
    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float
    logits: list[list[StorageView]]

class WhisperAlignmentResult:
    alignments: list[tuple[int, int]]
    text_token_probs: list[float]

class Whisper:
    def __init__(self, path: str, *, compute_type: str = ..., intra_threads: int = ...) -> None: ...

    is_multilingual: bool
    device: str
    compute_type: str
    def encode(self, features: StorageView, to_cpu: bool = ...) -> StorageView: ...
    def detect_language(self, features: StorageView) -> list[list[tuple[str, float]]]: ...
    def generate(
        self,
        features: StorageView,
        prompts: Sequence[Sequence[int]],
        *,
        beam_size: int = ...,
        patience: float = ...,
        num_hypotheses: int = ...,
        length_penalty: float = ...,
        repetition_penalty: float = ...,
        no_repeat_ngram_size: int = ...,
        max_length: int = ...,
        suppress_tokens: Sequence[int] = ...,
        return_scores: bool = ...,
        return_no_speech_prob: bool = ...,
        return_logits_vocab: bool = ...,
        sampling_topk: int = ...,
        sampling_temperature: float = ...,
    ) -> list[WhisperGenerationResult]: ...
    def align(
        self,
        features: StorageView,
        start_sequence: Sequence[int],
        text_tokens: Sequence[Sequence[int]],
        num_frames: int | Sequence[int],
        *,
        median_filter_width: int = ...,
    ) -> list[WhisperAlignmentResult]: ...
    def unload_model(self, to_cpu: bool = ...) -> None: ...
