"""TLS of the server: the certificate and the key that the settings name."""

import ssl
from pathlib import Path

from realtime.settings import PREFIX, Settings


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Load the certificate and its key, or return None where the settings name none.

    Raises:
        ValueError: A file cannot be used; the message names the setting.

    """
    if settings.tls_certificate is None:
        if settings.tls_key is not None:
            raise ValueError(f"{PREFIX}TLS_KEY needs {PREFIX}TLS_CERTIFICATE.")
        return None
    certificate, of_certificate = settings.tls_certificate.expanduser(), f"{PREFIX}TLS_CERTIFICATE"
    key, of_key = certificate, of_certificate
    if settings.tls_key is not None:
        key, of_key = settings.tls_key.expanduser(), f"{PREFIX}TLS_KEY"
    if b"-----BEGIN CERTIFICATE-----" not in _contents(certificate, of_certificate):
        raise ValueError(f"{of_certificate}: {certificate} contains no certificate in PEM.")
    key_contents = _contents(key, of_key)
    if b"PRIVATE KEY-----" not in key_contents:
        raise ValueError(f"{of_key}: {key} contains no private key in PEM.")
    if b"ENCRYPTED" in key_contents:
        raise ValueError(
            f"{of_key}: the private key in {key} is encrypted. Decrypt it: openssl pkey -in FILE -out FILE"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError(f"{of_key}: the private key in {key} does not belong to the certificate.") from None
        raise ValueError(f"{of_certificate}: the files cannot be used for TLS ({error.reason}).") from None
    return context


def _contents(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{setting}: cannot read {path}: {error.strerror or error}.") from None
