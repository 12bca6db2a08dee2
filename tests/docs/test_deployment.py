"""The files of `docs/deploy` are read by the programs they are for, as far as this machine has them."""

import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
import yaml

from realtime.environment import settings_from
from tests.docs.conftest import TALK, Workspace
from tests.support.markdown import ROOT

DEPLOY = ROOT / "docs/deploy"


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def succeeds(*command: str, **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    verify = program("systemd-analyze")
    unit = tmp_path / "vivavoce.service"
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", (DEPLOY / "vivavoce.service").read_text()))
    shutil.copy(DEPLOY / "vivavoce.socket", tmp_path)
    assert succeeds(verify, "verify", "--man=no", str(unit), str(tmp_path / "vivavoce.socket")).strip() == ""


def listed(text: str) -> list[dict[str, Any]]:
    """Return the resources of a manifest for Kubernetes."""
    return list(yaml.safe_load_all(text))


def test_kubernetes_waits_longer_than_the_service_drains_and_asks_what_it_answers() -> None:
    deployment, service, budget = listed((DEPLOY / "kubernetes.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    given = {each["name"]: each.get("value") for each in container["env"]}
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    settings = settings_from({name: value or "key" for name, value in given.items()})
    assert pod["terminationGracePeriodSeconds"] >= before + settings.drain_timeout_seconds + 5
    probed = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert probed == {"/readyz", "/livez"}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"]
    user = re.search(r"--uid (\d+)", (DEPLOY / "Containerfile").read_text())
    assert user is not None
    assert pod["securityContext"]["runAsUser"] == int(user[1])


def test_kubernetes_sets_no_variable_of_the_service_that_is_named_like_it() -> None:
    """Kubernetes sets NAME_PORT, NAME_SERVICE_HOST and others in all pods for a Service of that name, unless told."""
    deployment, service, _ = listed((DEPLOY / "kubernetes.yaml").read_text())
    name = service["metadata"]["name"].upper()
    with pytest.raises(ValueError, match="VIVAVOCE_PORT"):
        settings_from({f"{name}_PORT": "tcp://10.96.0.12:80"})
    assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_the_container_copies_files_that_exist_and_installs_as_make_does() -> None:
    container = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    sources = [
        source for line in re.findall(r"^COPY (?!--from)(.+)$", container, re.MULTILINE) for source in line.split()[:-1]
    ]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    for command in re.findall(r"^\t\$\(PIP\) (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[:2]:
        assert command.removeprefix("-e ") in container


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for localhost, `cert.pem`, and its `key.pem` in a directory."""
    openssl = program("openssl")
    directory = tmp_path_factory.mktemp("certificate")
    succeeds(
        openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost",
        "-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem"),
    )  # fmt: skip
    return directory


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return int(unused.getsockname()[1])


def answers(port: int, trusting: ssl.SSLContext) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as raw:
            trusting.wrap_socket(raw, server_hostname="localhost").close()
    except (ConnectionRefusedError, ssl.SSLError):  # Caddy listens before it has read its certificate
        return False
    return True


@contextmanager
def proxy(command: list[str], port: int, certificate: Path) -> Iterator[None]:
    """Run a proxy until the block ends; wait until it answers over TLS."""
    trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not answers(port, trusting):
                assert process.poll() is None
                time.sleep(0.02)  # another process says nothing when its port opens
            yield
        finally:
            process.terminate()
            process.wait(20)


def nginx(port: int, service: str, certificate: Path, directory: Path) -> list[str]:
    """Return the command that runs nginx with the documented configuration, on other addresses."""
    site = (DEPLOY / "nginx.conf").read_text()
    for documented, here in {
        "443": f"127.0.0.1:{port}",
        "127.0.0.1:8000": service,
        "/etc/ssl/voice.example.org": str(certificate / "localhost"),
    }.items():
        assert documented in site
        site = site.replace(documented, here)
    for ending, file in {"pem": "cert.pem", "key": "key.pem"}.items():
        shutil.copy(certificate / file, certificate / f"localhost.{ending}")
    temporary = "".join(
        f"{name}_temp_path {directory / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"daemon off;\npid {directory / 'pid'};\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{site}}}\n"
    )
    return [program("nginx"), "-p", str(directory), "-e", "stderr", "-c", str(configuration)]


def caddy(port: int, service: str, certificate: Path, directory: Path) -> list[str]:
    """Return the command that runs Caddy with the documented configuration, on other addresses."""
    site = (DEPLOY / "Caddyfile").read_text()
    keys = f"localhost:{port} {{\n\ttls {certificate / 'cert.pem'} {certificate / 'key.pem'}"
    for documented, here in {"voice.example.org {": keys, "127.0.0.1:8000": service}.items():
        assert documented in site
        site = site.replace(documented, here)
    configuration = directory / "Caddyfile"
    configuration.write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(configuration)]


def haproxy(port: int, service: str, certificate: Path, directory: Path) -> list[str]:
    """Return the command that runs HAProxy with the documented configuration, on other addresses."""
    site = (DEPLOY / "haproxy.cfg").read_text()
    both = directory / "both.pem"
    both.write_text((certificate / "cert.pem").read_text() + (certificate / "key.pem").read_text())
    for documented, here in {
        "bind :443": f"bind 127.0.0.1:{port}",
        "/etc/ssl/voice.example.org.pem": str(both),
        "127.0.0.1:8000": service,
    }.items():
        assert documented in site
        site = site.replace(documented, here)
    configuration = directory / "haproxy.cfg"
    configuration.write_text(site)
    return [program("haproxy"), "-db", "-f", str(configuration)]


@pytest.mark.parametrize("name", ["haproxy.cfg", "haproxy-replicas.cfg"])
def test_haproxy_ends_half_requests(name: str) -> None:
    [defaults] = re.findall(r"^defaults\n((?: +.*\n)+)", (DEPLOY / name).read_text(), re.MULTILINE)
    assert "timeout http-request 10s\n" in defaults  # else `timeout client`, an hour


PROXIES = [nginx, caddy, haproxy]


class PatientEvents(http.server.BaseHTTPRequestHandler):
    """A service that sends its second event when the client has received the first one."""

    received: ClassVar[threading.Event]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        if self.path == "/v1/events":
            self.wfile.write(b"data: first\n\n")
            self.wfile.flush()
            if self.received.wait(20):
                self.wfile.write(b"data: second\n\n")

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.mark.parametrize("configured", PROXIES)
def test_events_pass_the_proxy_as_they_are_sent(
    configured: Callable[[int, str, Path, Path], list[str]], certificate: Path, tmp_path: Path
) -> None:
    port, PatientEvents.received = free_port(), threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), PatientEvents) as backend:
        command = configured(port, f"127.0.0.1:{backend.server_port}", certificate, tmp_path)
        thread = threading.Thread(target=backend.serve_forever)
        thread.start()
        try:
            with proxy(command, port, certificate):
                trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
                url = f"https://localhost:{port}/v1/events"
                with httpx.stream("GET", url, verify=trusting, timeout=10) as answer:
                    lines = answer.iter_lines()
                    assert next(lines) == "data: first"
                    PatientEvents.received.set()
                    assert "data: second" in list(lines)
        finally:
            backend.shutdown()
            thread.join()


@pytest.mark.models
@pytest.mark.parametrize("configured", PROXIES)
def test_captions_and_uploads_pass_the_proxy_and_metrics_do_not(
    configured: Callable[[int, str, Path, Path], list[str]],
    workspace: Workspace,
    certificate: Path,
    tmp_path: Path,
    plain_words: Callable[[str], list[str]],
) -> None:
    port = free_port()
    trusting = {"SSL_CERT_FILE": str(certificate / "cert.pem"), "CURL_CA_BUNDLE": str(certificate / "cert.pem")}
    with proxy(configured(port, workspace.address, certificate, tmp_path), port, certificate):
        url = f"wss://localhost:{port}"
        captions = workspace.run("vivavoce", "listen", "--fast", "talk.mp3", "--url", url, environment=trusting)
        transcript = workspace.run(
            "curl", "--fail", "-sS", f"https://localhost:{port}/v1/audio/transcriptions",
            "-F", "model=whisper-1", "-F", "file=@talk.mp3", "-F", "response_format=text", environment=trusting,
        )  # fmt: skip
        metrics = [
            workspace.run(
                "curl", "-sS", "--path-as-is", "-o", "denied", "-w", "%{http_code}", f"https://localhost:{port}{path}",
                environment=trusting,
            )
            for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics", "/metrics//?x")
        ]  # fmt: skip
    assert plain_words(captions) == plain_words(transcript) == plain_words(TALK)
    assert metrics == ["403"] * 5
