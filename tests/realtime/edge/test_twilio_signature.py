"""Signatures of Twilio's, compared with those that its own library (twilio 9.13.0) makes with the token 12345."""

import pytest

from realtime.edge.twilio_signature import check_signature, signature
from realtime.errors import Forbidden

TOKEN = "12345"
HOST = "voice.example.org"
KEY_IN_PATH, WITHOUT_KEY = "sfhqE98O9dWQ1X5Y3bX4X7u9uek=", "X4KoyygSTUq+3SoYlJ2ctsQXnjI="


def test_the_example_of_twilios_documentation_has_its_signature() -> None:
    form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
            "To": "+18005551212"}  # fmt: skip
    assert signature(TOKEN, "https://mycompany.com/myapp.php?foo=1&bar=2", form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    ("signed", "host", "path"),
    [
        (KEY_IN_PATH, HOST, "/twilio/media/key-of-the-number"),
        (WITHOUT_KEY, HOST, "/twilio/media"),
        (WITHOUT_KEY, f"{HOST}:443", "/twilio/media"),
        (WITHOUT_KEY, HOST, "/twilio/media/"),
        ("ppoKn6pMzh+3+LYgY8rkJ9g3nwI=", f"{HOST}:8443", "/twilio/media/a%2Fb"),
    ],
)
def test_what_twilio_signed_is_valid_with_or_without_its_port_and_a_slash(signed: str, host: str, path: str) -> None:
    check_signature(TOKEN, {"host": host, "x-twilio-signature": signed}, path)


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"host": HOST}, "/twilio/media"),
        ({"host": HOST, "x-twilio-signature": ""}, "/twilio/media"),
        ({"host": HOST, "x-twilio-signature": "\xe4" * 28}, "/twilio/media"),
        ({"host": HOST, "x-twilio-signature": KEY_IN_PATH}, "/twilio/media"),
        ({"host": "other.example.org", "x-twilio-signature": WITHOUT_KEY}, "/twilio/media"),
        ({"host": f"{HOST}:8443", "x-twilio-signature": WITHOUT_KEY}, "/twilio/media"),
        ({"x-twilio-signature": WITHOUT_KEY}, "/twilio/media"),
        ({"host": "[::1", "x-twilio-signature": WITHOUT_KEY}, "/twilio/media"),
    ],
)
def test_a_signature_of_something_else_is_refused(headers: dict[str, str], path: str) -> None:
    with pytest.raises(Forbidden, match="VIVAVOCE_TWILIO_AUTH_TOKEN"):
        check_signature(TOKEN, headers, path)
