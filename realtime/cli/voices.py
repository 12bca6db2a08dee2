"""The command `vivavoce voices`: list the voices, and make a sample of one to hear, without a server."""

import argparse
import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Final

from rich.table import Column, Table

from clients.cli.audio_file import open_recording
from clients.cli.exit_codes import ExitCode
from clients.cli.terminal import warn
from clients.cli.values import audio_path
from realtime.audio.formats import Encoding, encode
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ENTRIES, ModelEntry, Task
from realtime.catalogue.voices import MixableVoices, lists_voice, resolve_voice, voice_language
from realtime.cli.models import UNUSABLE, print_errors
from realtime.cli.tables import table_console
from realtime.engines.registry import InstalledEngines
from realtime.errors import ClientError, UnknownVoice
from realtime.models.synthesizers import load_synthesizer
from realtime.settings import Settings

SAMPLE_TEXTS: Final = {
    "de": "Guten Tag! So klingt diese Stimme, wenn sie einen Satz vorliest.",
    "en": "Good morning! This is how this voice sounds when it reads a sentence.",
    "es": "¡Buenos días! Así suena esta voz cuando lee una frase.",
    "fr": "Bonjour ! Voici comment cette voix lit une phrase.",
    "hi": "नमस्ते! जब यह आवाज़ कोई वाक्य पढ़ती है, तो ऐसी सुनाई देती है।",
    "it": "Buongiorno! Ecco come suona questa voce quando legge una frase.",
    "nl": "Goedemorgen! Zo klinkt deze stem als ze een zin voorleest.",
    "pl": "Dzień dobry! Tak brzmi ten głos, kiedy czyta zdanie.",
    "pt": "Bom dia! É assim que esta voz soa quando lê uma frase.",
    "ru": "Добрый день! Так звучит этот голос, когда читает предложение.",
    "tr": "Günaydın! Bu ses bir cümle okurken böyle duyulur.",
    "zh": "早上好！这个声音读一句话的时候就是这样。",
}
"""A text for each of the languages of which the catalogue has a voice with files of its own."""

MAX_LISTED: Final = 60
"""Voices of one model that are listed; some of Piper's have 900 speakers."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("--sample", metavar="NAME", help="speak a sentence with this model or voice")
    parser.add_argument(
        "-o",
        "--output",
        type=audio_path,
        metavar="FILE",
        help="file for the sample: .wav, .mp3, ... (NAME.wav)",
    )
    parser.add_argument("--text", help="what to say in the sample (default: a sentence in the model's language)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """List the voices, or write the sample. Return the exit code. Raises `VoiceError`."""
    models = dict.fromkeys((*ModelNames(settings).listed().values(), *ENTRIES))
    entries = [entry for entry in models if entry.task is Task.SPEECH]
    if options.sample is None:
        _list(entries, settings)
        return 0
    entry, voice = _find(options.sample, entries, settings)
    languages = (voice_language(voice, entry.languages), *entry.languages)
    text = options.text or next((SAMPLE_TEXTS[code] for code in languages if code in SAMPLE_TEXTS), None)
    if text is None:
        raise ClientError(f"There is no sentence for {entry.name}. Give one with --text.")
    output = options.output or Path(f"{options.sample.rpartition('/')[2]}.wav")
    try:
        output.parent.stat()  # before the work is done in vain
        rate, samples = asyncio.run(_spoken(entry, voice, text, settings))
        with open_recording(output, rate) as write:
            write(samples)
    except OSError as error:
        warn("voices", f"cannot write {output}: {error.strerror or error}")
        return ExitCode.FAILED
    print(output)
    return 0


def _list(entries: list[ModelEntry], settings: Settings) -> None:
    table = Table("voice", "model", "languages", "licence", Column("here", justify="right"), box=None)
    table.columns[1].no_wrap = True
    at_hand = InstalledEngines(settings).installed_voices(entries)
    here, errors = at_hand.voices, at_hand.errors
    for entry in sorted(entries, key=lambda entry: (entry.name not in here, entry.name not in errors)):
        voices = here.get(entry.name, ())
        listed = [*voices[:MAX_LISTED], *([f"{len(voices) - MAX_LISTED} more"] if len(voices) > MAX_LISTED else [])]
        for voice in listed or [""]:
            languages = voice_language(voice, entry.languages) or ", ".join(entry.languages)
            state = "yes" if voices else UNUSABLE if entry.name in errors else ""
            table.add_row(voice, entry.name, languages, entry.licence, state)
    table_console().print(table)
    print_errors("voices", errors)


def _find(name: str, entries: list[ModelEntry], settings: Settings) -> tuple[ModelEntry, str]:
    """Return the model that a name means, with no voice, or the first one on this machine that has such a voice."""
    entry = next((each for each in entries if each.name == name), None) or ModelNames(settings).find(name)
    if entry is not None and entry.task is Task.SPEECH:
        return entry, ""
    voices = InstalledEngines(settings).installed_voices(entries).voices
    for each in entries:
        kind = MixableVoices if each.capabilities.mixing else tuple
        if lists_voice(name, kind(voices.get(each.name, ()))):
            return each, name
    raise UnknownVoice(f"There is no model or voice {name!r} on this machine; `vivavoce voices` lists them.")


async def _spoken(entry: ModelEntry, voice: str, text: str, settings: Settings) -> tuple[int, bytes]:
    """Return the sample rate of the model, and the text as PCM16 at this rate."""
    synthesizer = load_synthesizer(entry, InstalledEngines(settings), settings)
    try:
        chosen = synthesizer.choose_voice(voice, text) or resolve_voice(voice, synthesizer.voices)
        async with aclosing(synthesizer.synthesize(text, chosen, 1.0)) as chunks:
            samples = b"".join([encode(chunk, Encoding.PCM16) async for chunk in chunks])
        return synthesizer.sample_rate, samples
    finally:
        synthesizer.close()
