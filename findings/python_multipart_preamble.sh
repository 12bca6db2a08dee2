#!/usr/bin/env bash
# python-multipart 0.0.34 (the forms of Starlette and FastAPI): a form with a preamble is an error.
#
# Guess: text before the first boundary is skipped, as RFC 2046 (5.1.1) wants and Python's email package does.
# Seen:  MultipartParseError at the first byte of the preamble, which a server answers with 400; blank lines and text
#        after the last boundary are skipped.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-multipart==0.0.34
"$work/venv/bin/python" - <<'PY'
import email
import importlib.metadata

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

print("python-multipart", importlib.metadata.version("python-multipart"))
FORM = b'--cut\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--cut--\r\n'


def parsed(before: bytes, after: bytes = b"") -> str:
    parts = []
    parser = MultipartParser(b"cut", {"on_part_begin": lambda: parts.append(1)})
    try:
        parser.write(before + FORM + after)
        parser.finalize()
    except MultipartParseError as error:
        return f"{type(error).__name__}: {error}"
    return f"{len(parts)} part"


def parsed_by_email(before: bytes) -> str:
    message = email.message_from_bytes(b"Content-Type: multipart/form-data; boundary=cut\r\n\r\n" + before + FORM)
    return f"{len(message.get_payload())} part"


PREAMBLE = b"This is a multi-part message in MIME format.\r\n"
print("blank line before:   ", parsed(b"\r\n"))
print("text after:          ", parsed(b"", b"The end.\r\n"))
print("text before:         ", parsed(PREAMBLE))
print("text before, in email:", parsed_by_email(PREAMBLE))
assert parsed(b"\r\n") == parsed(b"", b"The end.\r\n") == parsed_by_email(PREAMBLE) == "1 part"
assert parsed(PREAMBLE).startswith("MultipartParseError")
PY
