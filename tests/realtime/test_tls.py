"""HTTPS and secure websockets by two settings."""

import asyncio
import base64
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from websockets.sync.client import connect

from realtime.audio.formats import Encoding, encode
from realtime.cli import service_checks
from realtime.cli.findings import Status
from realtime.settings import Settings
from realtime.tls import tls_context
from tests.support.certificates import OPENSSL, Certificate, make_certificate
from tests.support.realtime_service import SILENT, ProtocolClient, RealtimeService, realtime_service, utterance
from tests.support.scripted_engines import transcript_of

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make certificates")

PROJECT = Path(__file__).parents[2]
COMPLETED = "conversation.item.input_audio_transcription.completed"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def trusting(files: Certificate) -> ssl.SSLContext:
    """Return the settings of a client that trusts the certificate."""
    return ssl.create_default_context(cafile=str(files.certificate))


@pytest.fixture(scope="module")
def server(files: Certificate) -> Iterator[RealtimeService]:
    with realtime_service(tls_certificate=files.certificate, tls_key=files.key) as service:
        yield service


def test_a_secure_websocket_is_captioned(server: RealtimeService, trusting: ssl.SSLContext) -> None:
    url = f"wss://localhost:{server.port}/v1/realtime?intent=transcription&ext=binary"
    with connect(url, ssl=trusting, compression=None, logger=SILENT) as socket:
        client = ProtocolClient(socket)
        client.send_audio(utterance([3, 1, 4]), binary=True)
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([3, 1, 4])


def test_https_is_served(server: RealtimeService, trusting: ssl.SSLContext) -> None:
    with urllib.request.urlopen(f"https://127.0.0.1:{server.port}/readyz", context=trusting, timeout=5) as answer:
        assert answer.status == 200


def test_the_client_of_openai_connects_and_is_captioned(server: RealtimeService, trusting: ssl.SSLContext) -> None:
    async def captioned() -> str:
        client = AsyncOpenAI(
            base_url=f"https://localhost:{server.port}/v1",
            api_key="none",
            http_client=DefaultAsyncHttpxClient(verify=trusting),
        )
        async with asyncio.timeout(20), client:
            assert "whisper-1" not in {model.id async for model in await client.models.list()}
            query = {"intent": "transcription"}
            options = {"ssl": trusting}
            async with client.realtime.connect(
                model="whisper-1",
                extra_query=query,
                websocket_connection_options=options,  # type: ignore[arg-type]
            ) as connection:
                audio = base64.b64encode(encode(utterance([2, 7]), Encoding.PCM16)).decode()
                await connection.input_audio_buffer.append(audio=audio)
                async for event in connection:
                    if event.type == "conversation.item.input_audio_transcription.completed":
                        return event.transcript
        raise AssertionError

    assert asyncio.run(captioned()) == transcript_of([2, 7])


def test_a_client_that_does_not_trust_the_certificate_refuses_it(server: RealtimeService) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(f"wss://localhost:{server.port}/v1/realtime", logger=SILENT)


def test_a_file_may_hold_both(files: Certificate, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    assert tls_context(Settings(tls_certificate=both)) is not None


def test_without_a_certificate_there_is_no_tls() -> None:
    assert tls_context(Settings()) is None


def test_wrong_files_are_named(files: Certificate, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other")
    text, encrypted = tmp_path / "text.pem", tmp_path / "encrypted.key"
    text.write_text("no certificate")
    assert OPENSSL is not None
    subprocess.run(
        [OPENSSL, "pkey", "-in", files.key, "-aes256", "-passout", "pass:secret", "-out", encrypted],
        check=True,
        capture_output=True,
    )
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for certificate, key, message in (
        (None, files.key, "VIVAVOCE_TLS_KEY needs VIVAVOCE_TLS_CERTIFICATE"),
        (tmp_path / "none.pem", files.key, "VIVAVOCE_TLS_CERTIFICATE: cannot read .*none.pem: No such file"),
        (files.certificate, tmp_path / "none.key", "VIVAVOCE_TLS_KEY: cannot read .*none.key: No such file"),
        (text, files.key, "VIVAVOCE_TLS_CERTIFICATE: .* no certificate in PEM"),
        (files.certificate, text, "VIVAVOCE_TLS_KEY: .* no private key in PEM"),
        (files.certificate, None, "VIVAVOCE_TLS_CERTIFICATE: .* no private key in PEM"),
        (files.certificate, other.key, "VIVAVOCE_TLS_KEY: .* does not belong to the certificate"),
        (files.certificate, encrypted, "VIVAVOCE_TLS_KEY: .* is encrypted"),
        (broken, files.key, "VIVAVOCE_TLS_CERTIFICATE: the files cannot be used"),
    ):
        with pytest.raises(ValueError, match=message):
            tls_context(Settings(tls_certificate=certificate, tls_key=key))


def test_a_server_with_wrong_files_does_not_start(files: Certificate, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "realtime.cli.main", "serve", "--port", "0"]
    environment = {"PATH": "/usr/bin", "VIVAVOCE_TLS_CERTIFICATE": str(tmp_path / "none.pem")}
    project = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("vivavoce serve: VIVAVOCE_TLS_CERTIFICATE: cannot read")


def test_the_doctor_checks_the_files(files: Certificate, server: RealtimeService) -> None:
    settings = Settings(tls_certificate=files.certificate, tls_key=files.key, port=server.port)
    assert [finding.status for finding in service_checks.check_tls(settings)] == [Status.OK]
    assert [finding.status for finding in service_checks.check_tls(Settings(tls_key=files.key))] == [Status.FAILURE]
    assert list(service_checks.check_tls(Settings())) == []
    (port,) = service_checks.check_port(settings)
    assert "a Vivavoce server is running" in port.detail
