"""Check of `vivavoce doctor`: the chat backend."""

from typing import Final

from realtime.backends.models_list import list_models
from realtime.cli.findings import Finding, Findings, Status
from realtime.session.generation import ChatError
from realtime.settings import PREFIX, SCRIPTED, Settings

MAX_NAMED: Final = 10
"""Models that are named."""


def check_chat(settings: Settings) -> Findings:
    """Report whether the chat backend answers and has the model, if one is configured."""
    if settings.chat_base_url is None:
        yield Finding("chat", Status.OK, "no chat backend is configured; sessions listen and speak what they are given")
        return
    if settings.chat_base_url == SCRIPTED:
        yield Finding("chat", Status.OK, "answers by rules, without a model")
        return
    try:
        models = list_models(settings)
    except ChatError as error:
        advice = f"Start the backend, or correct {PREFIX}CHAT_BASE_URL and {PREFIX}CHAT_API_KEY."
        yield Finding("chat", Status.FAILURE, error.message, advice)
        return
    model = settings.chat_model
    data: dict[str, object] = {"models": models}
    named = ", ".join(models[:MAX_NAMED]) + (", ..." if len(models) > MAX_NAMED else "")
    advice = f"Set {PREFIX}CHAT_MODEL" + (f" to one of its models: {named}." if models else ", or load a model.")
    if model is None and len(models) != 1:
        yield Finding("chat", Status.WARNING, f"the backend lists {len(models)} models; none is chosen", advice, data)
    elif model is not None and not any(each == model or each.startswith(f"{model}:") for each in models):
        yield Finding("chat", Status.WARNING, f"the backend does not list {model}", advice, data)
    else:
        yield Finding("chat", Status.OK, f"the backend answers and has {model or models[0]}", data=data)
