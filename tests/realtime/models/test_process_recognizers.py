"""Recognizers in processes, loaded and used as other models are."""

import asyncio
from pathlib import Path

import pytest

from realtime.errors import EngineError
from realtime.models.models import Models
from realtime.scheduling.priority import ClientId, Priority
from realtime.scheduling.queue import RequestProgress
from realtime.speech.recognition import TranscriptionRequest
from tests.support.loaded_models import BASE, TINY, opened
from tests.support.recognizer_process import DEADLY, EnginesInProcesses, children, program
from tests.support.scenarios import run, until
from tests.support.scripted_engines import say_numbers


async def said(models: Models, number: int) -> str:
    async with models.lease_recognizer(BASE) as recognizer:
        request = TranscriptionRequest(say_numbers([number]))
        hypothesis = await recognizer.transcribe(request, Priority.FINAL, ClientId("key", str(number)))
    return hypothesis.text


def test_requests_of_many_clients_are_answered_although_one_of_them_ends_processes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(EnginesInProcesses(program(tmp_path, decoding=0.01, workers=2))) as models:
            numbers = [1, 2, DEADLY, 3, 4, 5, 6]
            answers = await asyncio.gather(*(said(models, number) for number in numbers), return_exceptions=True)
            failure = answers.pop(numbers.index(DEADLY))
            assert answers == [f" word{number}" for number in numbers if number != DEADLY]
            assert "ended 2 processes" in str(failure)
            await until(lambda: models.restarts == {"whisper-base": 2})
        assert not children()

    run(scenario())


def test_the_processes_that_end_with_a_request_are_reported_with_its_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        progress: list[RequestProgress] = []
        request = TranscriptionRequest(say_numbers([DEADLY]))
        async with (
            opened(EnginesInProcesses(program(tmp_path))) as models,
            models.lease_recognizer(BASE) as recognizer,
        ):
            with pytest.raises(EngineError):
                await recognizer.transcribe_newest(lambda _: request, Priority.FINAL, on_progress=progress.append)
        assert progress.count(RequestProgress.PROCESS_ENDED) == 2

    run(scenario())


def test_a_recognizer_recovers_from_the_end_of_its_processes_and_is_unloaded_with_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(EnginesInProcesses(program(tmp_path))) as models:
            assert not models.recovering
            (pinned,) = children()
            await models.load(TINY)
            assert len(children()) == 2
            await models.unload(TINY)
            assert children() == [pinned]
            pinned.kill()
            await until(lambda: models.recovering)
            await until(lambda: not models.recovering)
            assert await said(models, 1) == " word1"
            assert models.restarts == {"whisper-base": 1}

    run(scenario())
