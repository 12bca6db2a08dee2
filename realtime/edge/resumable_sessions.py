"""The sessions that clients may resume, and those that are parked until they do."""

import asyncio
import hmac
import logging
import secrets
from collections import Counter
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from realtime.edge.metrics import Metrics, ResumeOutcome
from realtime.edge.resumable_link import Attachment, ResumableLink
from realtime.errors import ClientError
from realtime.settings import Settings
from realtime.wire.codec import ResumeRequest

logger = logging.getLogger(__name__)


class SessionNotResumable(ClientError):
    """There is no such session, it has ended, or the client does not prove that it is its own."""

    code = "session_not_resumable"
    http_status = 404
    close_code = 4404

    def __init__(self) -> None:
        super().__init__("There is no such session, or it has ended. Open a new one.", param="resume")


class EventsForgotten(ClientError):
    """The session goes on, but some of what the client has missed is no longer kept."""

    code = "events_forgotten"
    http_status = 410
    close_code = 4404

    def __init__(self) -> None:
        super().__init__("The events after `last_event` are no longer kept. Open a new session.", param="last_event")


@dataclass(frozen=True, slots=True)
class _Resumable:
    token: str = field(repr=False)
    account: str
    link: ResumableLink


class ResumableSessions:
    """The resumable sessions of one service. Belongs to its event loop.

    A session is parked for `resume_timeout_seconds` at most. Of more than `max_parked_sessions`, the one that was
    parked first ends, of those of the account that has the most.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._seconds = settings.resume_timeout_seconds
        self._max_parked = settings.max_parked_sessions
        self._metrics = metrics
        self._sessions: dict[str, _Resumable] = {}
        self._parked: dict[ResumableLink, asyncio.TimerHandle] = {}

    @property
    def offered(self) -> bool:
        """Whether sessions can be resumed at all."""
        return self._max_parked > 0

    def add(self, session_id: str, account: str, link: ResumableLink) -> str:
        """Let the clients of an account resume a session until it is removed; return the token for that."""
        token = secrets.token_urlsafe(24)
        self._sessions[session_id] = _Resumable(token, account, link)
        return token

    def remove(self, session_id: str) -> None:
        """Let a session that has ended be resumed no longer; do nothing for one that could not be resumed."""
        if (session := self._sessions.pop(session_id, None)) is not None:
            session.link.end()

    def find(self, request: ResumeRequest, account: str) -> ResumableLink:
        """Return the connection to go on with.

        Raises:
            SessionNotResumable: There is no such session, or it is not one of the client.
            EventsForgotten: The client has missed more than is kept.

        """
        session = self._sessions.get(request.session_id)
        if (
            session is None
            or not hmac.compare_digest(session.token.encode(), request.token.encode())
            or session.account != account
            or not session.link.open
        ):
            self._metrics.count_resume("refused")
            raise SessionNotResumable
        if not session.link.outbox.covers(request.number):
            self._metrics.count_resume("too_late")
            raise EventsForgotten
        return session.link

    def resume(self, websocket: WebSocket, request: ResumeRequest, account: str) -> Attachment:
        """Give a websocket to the session that its client asks for. Raises as `find`."""
        link = self.find(request, account)
        parked = link.parked
        attachment = link.attach(websocket, request.number)
        self._metrics.count_resume("resumed" if parked else "superseded")
        logger.info("session resumed")
        return attachment

    def park(self, link: ResumableLink) -> None:
        """Wait for the client of a session, and end another session if there are too many."""
        logger.info("session parked")
        timer = asyncio.get_running_loop().call_later(self._seconds, self._give_up, link, "expired")
        self._parked[link] = timer
        if len(self._parked) > self._max_parked:
            self._give_up(self._longest_parked(), "evicted")
        self._metrics.set_parked(len(self._parked))

    def unpark(self, link: ResumableLink) -> None:
        """Wait for the client no longer; does nothing for a session that is not parked."""
        if (timer := self._parked.pop(link, None)) is not None:
            timer.cancel()
            self._metrics.set_parked(len(self._parked))

    def _longest_parked(self) -> ResumableLink:
        """Return the session that was parked first, of those of the account that has the most parked ones."""
        accounts = {each.link: each.account for each in self._sessions.values()}
        parked = Counter(accounts[link] for link in self._parked)
        most = max(parked.values())
        return next(link for link in self._parked if parked[accounts[link]] == most)

    def _give_up(self, link: ResumableLink, outcome: ResumeOutcome) -> None:
        self.unpark(link)
        self._metrics.count_resume(outcome)
        link.give_up()
