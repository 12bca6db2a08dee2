"""Errors of the client library."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Codes of the server's errors, in refusals, error events and failed turns; a server may have others too."""

    AUDIO_TOO_LONG = "audio_too_long"
    AUDIO_TOO_SHORT = "audio_too_short"
    BACKEND_INTERRUPTED = "backend_interrupted"
    BACKEND_NOT_CONFIGURED = "backend_not_configured"
    BACKEND_OVERLOADED = "backend_overloaded"
    BACKEND_REFUSED = "backend_refused"
    BACKEND_TIMEOUT = "backend_timeout"
    BACKEND_UNAVAILABLE = "backend_unavailable"
    CONVERSATION_ALREADY_HAS_ACTIVE_RESPONSE = "conversation_already_has_active_response"
    DAMAGED_AUDIO = "damaged_audio"
    EMPTY_FILE = "empty_file"
    ENGINE_FAILED = "engine_failed"
    EVENTS_FORGOTTEN = "events_forgotten"
    FILE_TOO_LARGE = "file_too_large"
    HOST_NOT_ALLOWED = "host_not_allowed"
    INPUT_AUDIO_BUFFER_COMMIT_EMPTY = "input_audio_buffer_commit_empty"
    INTERNAL_ERROR = "internal_error"
    INVALID_API_KEY = "invalid_api_key"
    INVALID_EVENT = "invalid_event"
    INVALID_FILE_FORMAT = "invalid_file_format"
    INVALID_JSON = "invalid_json"
    INVALID_MULTIPART = "invalid_multipart"
    INVALID_QUERY_PARAMETER = "invalid_query_parameter"
    INVALID_TYPE = "invalid_type"
    INVALID_VALUE = "invalid_value"
    INVALID_VOICE = "invalid_voice"
    ITEM_CREATE_DUPLICATE_ITEM_ID = "item_create_duplicate_item_id"
    ITEM_CREATE_INVALID_PREVIOUS_ITEM_ID = "item_create_invalid_previous_item_id"
    ITEM_DELETE_INVALID_ITEM_ID = "item_delete_invalid_item_id"
    ITEM_RETRIEVE_INVALID_ITEM_ID = "item_retrieve_invalid_item_id"
    ITEM_TRUNCATE_INVALID_ITEM_ID = "item_truncate_invalid_item_id"
    MISSING_REQUIRED_PARAMETER = "missing_required_parameter"
    MODEL_IN_USE = "model_in_use"
    MODEL_NOT_AVAILABLE = "model_not_available"
    MODEL_NOT_FOUND = "model_not_found"
    NO_AUDIO_STREAM = "no_audio_stream"
    NOT_FOUND = "not_found"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    QUEUE_FULL = "queue_full"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    REQUEST_TIMEOUT = "request_timeout"
    RESPONSE_CANCEL_NOT_ACTIVE = "response_cancel_not_active"
    RESPONSE_NOT_ACTIVE = "response_not_active"
    SCHEMA_ERROR = "schema_error"
    SERVER_OVERLOADED = "server_overloaded"
    SESSION_IDLE = "session_idle"
    SESSION_NOT_RESUMABLE = "session_not_resumable"
    SLOW_READER = "slow_reader"
    STRING_ABOVE_MAX_LENGTH = "string_above_max_length"
    TOO_LARGE = "too_large"
    TOO_MANY_SESSIONS = "too_many_sessions"
    UNSUPPORTED_AUDIO = "unsupported_audio"
    UNSUPPORTED_CONTENT = "unsupported_content"
    UNSUPPORTED_LANGUAGE = "unsupported_language"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    UNSUPPORTED_MODEL = "unsupported_model"
    UNSUPPORTED_VALUE = "unsupported_value"


class RealtimeError(Exception):
    """Base class of the errors of this package."""


class ConnectionRefused(RealtimeError):
    """The session could not be opened.

    `status` is the HTTP status of a refusal, None if the server did not answer; `code` the server's name of the error,
    empty if it gave none; `retry_after` the seconds after which to try again, None if the server did not say, and 0 if
    it accepted the connection but did not answer in time, as one that is starting; `param` what of the request it is
    about, empty if that is not known.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        *,
        code: str = "",
        retry_after: float | None = None,
        param: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.retry_after = retry_after


class ProtocolError(RealtimeError):
    """The server sent something that is not part of the protocol, or more than the program reads."""


class ServerClosed(RealtimeError):
    """The server closed the connection; `code` is 1006 if the connection was lost (RFC 6455, section 7.4)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the server closed the connection ({code}{': ' + reason if reason else ''})")
        self.code = code
        self.reason = reason


class RequestFailed(RealtimeError):
    """The server refused a request or failed to complete it.

    `code` is its error code; `param` the argument that it is about, empty if that is not known.
    """

    def __init__(self, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param
