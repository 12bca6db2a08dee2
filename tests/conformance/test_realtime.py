"""The realtime client of openai-node, in a conversation with the scripted chat backend."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from realtime.audio.formats import Encoding, encode
from tests.conformance.conftest import INSTALLED, PROGRAMS
from tests.support.certificates import OPENSSL, make_certificate
from tests.support.realtime_service import realtime_service, utterance
from tests.support.scripted_engines import transcript_of

WORDS = [3, 1, 4]


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make a certificate")
def test_openai_node_which_connects_over_tls_only_is_captioned_and_answered(node: Path, tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    microphone = tmp_path / "microphone.pcm"
    microphone.write_bytes(encode(utterance(WORDS), Encoding.PCM16))
    with realtime_service(tls_certificate=files.certificate, tls_key=files.key, chat_base_url="scripted") as service:
        address = f"https://localhost:{service.port}/v1"
        program = PROGRAMS / "openai_node_realtime.mjs"
        ended = subprocess.run(
            [node, program, INSTALLED, address, microphone],
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(files.certificate)},
            capture_output=True, check=True, timeout=30,
        )  # fmt: skip
    heard = json.loads(ended.stdout)
    assert (heard["errors"], heard["url"]) == ([], "wss:")
    assert heard["transcript"] == transcript_of(WORDS)
    assert heard["answer"] == f"You said: {transcript_of(WORDS)}"
    assert heard["audioBytes"] > 0
