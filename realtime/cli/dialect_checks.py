"""Check of `vivavoce doctor`: the protocols that are served, and what they lack."""

from realtime.cli.findings import Finding, Findings, Status
from realtime.settings import DIALECTS, PREFIX, Settings


def check_dialects(settings: Settings) -> Findings:
    """Report which protocols are served where, and why others are not."""
    web = "https" if settings.tls_certificate else "http"
    served = [name for name in DIALECTS if name in settings.dialects and name != "wyoming"]
    left_out = [name for name in DIALECTS if name not in settings.dialects]
    found = f"{', '.join(served)} at {web}://{settings.host}:{settings.port}" if served else "none over HTTP"
    if left_out:
        found += f"; not served: {', '.join(left_out)} ({PREFIX}DIALECTS)"
    data: dict[str, object] = {"served": served, "left_out": left_out}
    if "twilio" in served and settings.chat_base_url is None:
        found += f"; calls of twilio are refused without a chat backend ({PREFIX}CHAT_BASE_URL)"
    yield Finding("dialects", Status.OK, found, data=data)
