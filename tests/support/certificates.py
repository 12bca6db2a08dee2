"""Certificates for tests, made by the command `openssl`: an authority, and a server of this machine."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

OPENSSL = shutil.which("openssl")


class Certificate(NamedTuple):
    """Files of a certificate that signs itself, so that trusting it is enough, and of its key."""

    certificate: Path
    key: Path


def make_certificate(directory: Path, name: str = "server") -> Certificate:
    """Make a certificate for `localhost` and 127.0.0.1."""
    assert OPENSSL is not None
    made = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    command = [
        OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2",
        "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout", str(made.key), "-out", str(made.certificate),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return made
