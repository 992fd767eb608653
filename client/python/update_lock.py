"""Hold the balena update lock while a piece of work must not be interrupted, by asking the update-lock sidecar for it.

    from update_lock import UpdateLock

    with UpdateLock().hold("recorder", reason="recording") as lease:
        while not lease.lost.is_set():
            record()

With asyncio:

    from update_lock import AsyncUpdateLock

    async with AsyncUpdateLock().hold("recorder", reason="recording") as lease:
        while not lease.lost.is_set():
            await record()

Standard library only, Python 3.8 and later. Which sidecar: the URL that is given, or ``UPDATE_LOCK_URL``
(``http://update-lock:8080``, ``unix:/run/update-lock/update-lock.sock``), else the default socket if it is there, else
``http://update-lock:8080``. The token: the one that is given, or ``UPDATE_LOCK_TOKEN``.

Lengths of time are in seconds, or text as the sidecar has it: ``"500ms"``, ``"90s"``, ``"5m"``, ``"1h30m"``, ``"1d"``.
"""

import http.client
import io
import json
import os
import random
import re
import socket
import sys
import threading
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Dict, Generator, Iterator, List, NamedTuple, Optional, Tuple, Type
from typing import TypedDict, TypeVar, Union, cast
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "AsyncHeldLease",
    "AsyncUpdateLock",
    "EndedLease",
    "HeldLease",
    "HistoryEntry",
    "InvalidRequest",
    "Lease",
    "LockEvent",
    "LockLost",
    "LockPath",
    "LockStatus",
    "LockUnavailable",
    "NotAllowed",
    "Override",
    "Unreachable",
    "Update",
    "UpdateLock",
    "UpdateLockError",
    "Window",
]
__version__ = "0.1.0"  # x-release-please-version

Duration = Union[float, str]
#: Any JSON object of the sidecar's API.
Document = Dict[str, Any]


class Lease(TypedDict):
    """One named reason to hold the lock. Times are RFC 3339 in UTC. Sidecars before 0.1 give no ``id``."""

    id: str
    name: str
    reason: str
    #: ``timed``, ``connection`` or ``builtin``.
    kind: str
    since: str
    expires: Optional[str]
    ttlSeconds: Optional[float]
    remainingSeconds: Optional[float]
    renewals: int
    peer: str


class _Ended(TypedDict):
    reason: str
    at: str


class EndedLease(Lease):
    """A lease that has ended, and how."""

    ended: _Ended


class Update(TypedDict):
    """What waits for the lock."""

    #: ``reachable``, ``unreachable``, ``not-configured`` or ``not-asked-yet``.
    supervisor: str
    pending: bool
    #: ``release`` and ``reboot``.
    waiting: List[str]
    downloaded: bool
    downloading: bool
    failed: bool
    since: Optional[str]
    blockedBy: List[str]
    deadline: Optional[str]
    draining: bool
    drainEnds: Optional[str]
    detail: Optional[str]


class Window(TypedDict):
    """When updates are allowed, where windows are configured."""

    open: bool
    opens: Optional[str]
    closes: Optional[str]
    frozen: bool
    timezone: str


class Override(TypedDict):
    """Somebody allows or holds updates by hand."""

    updates: str
    reason: str
    since: str
    until: str
    inForce: bool


class LockPath(TypedDict):
    path: str
    #: ``ours``, ``absent``, ``supervisor`` or ``foreign``.
    state: str


class _Device(TypedDict):
    name: Optional[str]
    uuid: Optional[str]


class LockStatus(TypedDict):
    """The lock: who holds it, and why."""

    #: ``held``, ``free``, ``updating``, ``foreign``, ``cooldown`` or ``unavailable``.
    state: str
    since: Optional[str]
    expires: Optional[str]
    flock: bool
    paths: List[LockPath]
    leases: List[Lease]
    update: Optional[Update]
    window: Optional[Window]
    override: Optional[Override]
    device: Optional[_Device]
    summary: str


class HistoryEntry(TypedDict):
    """Something that has happened, in words; ``text`` continues the sentence that ``name`` begins."""

    at: str
    event: str
    name: Optional[str]
    text: str
    detail: str


class LockEvent(TypedDict):
    """One event of ``events()``: ``type`` is ``lock``, ``lease``, ``update`` or ``fleet``."""

    id: str
    type: str
    data: Document


DEFAULT_SOCKET = "/run/update-lock/update-lock.sock"
DEFAULT_URL = "http://update-lock:8080"

# Durations, in seconds. The longest wait that the sidecar allows in one request:
_LONGEST_WAIT = 3600.0
# A line comes every 15 s; a connection without one for more than twice as long is dead.
_SILENCE = 31.0
# After a restart the sidecar keeps a lease for this long, for its holder to come back.
_GRACE = 30.0
_CONNECT_TIMEOUT = 5.0
# How long a request may take in total, beyond the time that it asks the sidecar to wait.
_ANSWER_TIMEOUT = 10.0
# How long a release may take, and how long it tries to reach a sidecar that is restarting.
_GOODBYE_TIMEOUT = 5.0
_PATIENCE = 1.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0

# Bytes. 10,000 leases are some 10 MB, and an update's line names all holders.
_LONGEST_ANSWER = 16 * 1024 * 1024
_LONGEST_LINE = 1024 * 1024

# The most leases whose ids an UpdateLock remembers: a program may use new names for ever, and release none.
_MOST_IDS = 1000

# Codes with which a sidecar refuses a new lease, so that the former one must have ended.
_GATES = ("updating", "foreign-lock", "cooldown", "draining")

# The types of events that are known; later sidecars may send others.
_EVENTS = ("lock", "lease", "update", "fleet")

# The exceptions that a connection, http.client and json may raise, whatever the server sends.
_BROKEN = (OSError, http.client.HTTPException, ValueError, OverflowError, RecursionError)

_ID = re.compile(r"[\x21\x23-\x7e]{1,256}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_DURATION = re.compile(
    r"(?=.)(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)

_T = TypeVar("_T")


class UpdateLockError(Exception):
    """The base of all errors of this module. ``code`` is the code of the sidecar's problem, or the one that the class names."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class LockUnavailable(UpdateLockError):
    """The lock or the name was not available in time. ``holder`` names the holder that is in the way, if it is known."""

    def __init__(self, message: str, code: str, holder: Optional[str] = None) -> None:
        super().__init__(message, code)
        self.holder = holder


class LockLost(UpdateLockError):
    """The lease ended before it was released. ``code`` says how: ``lost`` (taken away, by a forced update for instance),
    ``drained``, ``expired``, ``released`` (by somebody else), ``stopped``, ``disconnected``; ``lease-not-found`` if nothing is
    known of it any more; ``unreachable`` if the sidecar was gone for longer than it could recover."""


class Unreachable(UpdateLockError):
    """No sidecar answered in time. The code is ``unreachable``."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "unreachable")


class _NotTheSidecar(Unreachable):
    """Something other than a sidecar answers successfully. Trying again would not help."""


class InvalidRequest(UpdateLockError):
    """The request itself is wrong (a name, a duration, the sidecar's address): it would never be granted."""


class NotAllowed(UpdateLockError):
    """A token is missing or does not allow this (``unauthorized``, ``forbidden``), or the socket's permissions do not."""


class UpdateLock:
    """A client of one sidecar. Connects only when a method is called, and may be used by several threads."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None) -> None:
        self._url = url or os.environ.get("UPDATE_LOCK_URL") or None
        self._token = token or os.environ.get("UPDATE_LOCK_TOKEN") or None
        # The ids of the leases that were acquired by name.
        self._ids: Dict[str, str] = {}
        self._sleep: Callable[[float], Any] = time.sleep
        if self._token is not None and re.search(r"[^\x21-\x7e]", self._token):
            raise InvalidRequest("the token has characters that no HTTP header may have", "invalid")
        _endpoint(self.url, "url" if url else "UPDATE_LOCK_URL")

    @property
    def url(self) -> str:
        """The sidecar's address. The default socket may appear later than this process, so it is looked for every time."""
        if self._url is not None:
            return self._url
        return "unix:" + DEFAULT_SOCKET if os.path.exists(DEFAULT_SOCKET) else DEFAULT_URL

    def hold(self, name: Optional[str] = None, *, reason: Optional[str] = None, wait: Optional[Duration] = None) -> "HeldLease":
        """Holds the lock until the end of the ``with`` block, or until ``release()``, or until this process ends, however it does.

        ``name`` says who holds it; by default one that nobody else has. ``wait`` is how long to wait for a lock that cannot
        be had now, or a sidecar that is not there yet: without a limit by default, 0 for not at all.
        """
        name = _make_name() if name is None else _check_name(name)
        limit = None if wait is None else _seconds(wait)
        form = {} if reason is None else {"reason": reason}

        def attempt(left: Optional[float]) -> "_HoldStream":
            patience = _at_most_an_hour(left)
            return self._open_hold(name, form, patience, patience + _ANSWER_TIMEOUT)

        stream, held = None, None
        try:
            stream = _persist(limit, attempt, sleep=self._sleep)
            held = HeldLease(self, stream, form)
            held._thread.start()
            return held
        except BaseException:
            # Interrupted, or no thread could be started: the caller has nothing to release it by.
            if held is not None:
                held.release()
            elif stream is not None:
                stream.wire.close()
            raise

    def acquire(
        self, name: str, *, ttl: Optional[Duration] = None, reason: Optional[str] = None, wait: Duration = 1.0
    ) -> Lease:
        """Acquires the lease, or renews a live one, for ``ttl`` from now (by default 5 minutes)."""
        form = _form(ttl=ttl, reason=reason)
        path = _lease_path(name)

        def attempt(left: Optional[float]) -> Document:
            patience = _at_most_an_hour(left)
            return self._ask("PUT", path, {**form, "wait": _seconds_text(patience)}, patience)

        lease = _check_lease(_persist(_seconds(wait), attempt, sleep=self._sleep), name, self.url)
        self._ids.pop(name, None)
        if "id" in lease:
            self._ids[name] = lease["id"]
            for oldest in list(self._ids)[:-_MOST_IDS]:
                self._ids.pop(oldest, None)
        return cast(Lease, lease)

    def renew(self, name: str, *, ttl: Optional[Duration] = None) -> Lease:
        """Renews the lease; fails with ``LockLost`` if it has ended, instead of acquiring a new one. If this object has acquired
        it, it does not renew another lease of that name."""
        headers = _if_match(self._ids.get(name)) or {"If-Match": "*"}
        return cast(Lease, _check_lease(self._ask("PUT", _lease_path(name), _form(ttl=ttl), headers=headers), name, self.url))

    def release(self, name: str) -> Optional[EndedLease]:
        """Releases the lease and returns it as it was; None if there was none of that name. If this object has acquired it, it
        does not release another lease of that name."""
        headers = _if_match(self._ids.get(name))
        try:
            ended = self._ask("DELETE", _lease_path(name), headers=headers)
        except LockLost:
            ended = {}
        self._ids.pop(name, None)
        return cast(EndedLease, _check_lease(ended, name, self.url)) if ended else None

    def status(self) -> LockStatus:
        """The lock: ``state``, ``leases``, and ``summary``, one sentence that says why the device is not updating."""
        return cast(LockStatus, _check(self._ask("GET", "/v1/lock"), "state", str, self.url))

    def leases(self) -> List[Lease]:
        """The live leases, oldest first."""
        leases: List[Lease] = _check(self._ask("GET", "/v1/leases"), "leases", list, self.url)["leases"]
        return leases

    def history(self) -> List[HistoryEntry]:
        """What has happened lately, in words: up to fifty events since the sidecar was started, newest first."""
        events: List[HistoryEntry] = _check(self._ask("GET", "/v1/history"), "events", list, self.url)["events"]
        return events

    def events(self, *, last_event_id: Optional[str] = None) -> Iterator[LockEvent]:
        """The events of the lock, from now on or after the event of that id, over restarts of the sidecar. Waits for a sidecar that
        is not there yet. Ends only with its reader.

        First comes the present state: a ``lock`` whose data say ``snapshot``, each live lease, and the update. A later ``lock`` with
        ``snapshot`` begins anew; with ``missed``, events were missed.
        """
        last_id = "" if last_event_id is None else last_event_id
        if re.search(r"[^\x20-\x7e]", last_id):
            raise InvalidRequest("%r is not the id of an event" % last_id, "invalid")
        return self._read_events(last_id)

    def _read_events(self, last_id: str) -> Iterator[LockEvent]:
        pause = _FIRST_PAUSE
        while True:
            stream = _persist(None, lambda _: self._open_events(last_id), sleep=self._sleep)
            try:
                for event in stream.events(last_id):
                    last_id, pause = event["id"], _FIRST_PAUSE
                    if event["type"] in _EVENTS:
                        yield event
            except _BROKEN:
                pass
            finally:
                stream.wire.close()
            self._sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _open_events(self, last_id: str) -> "_EventStream":
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        wire, response = self._send("GET", "/v1/events", None, _ANSWER_TIMEOUT, headers)
        try:
            if response.status != 200 or _content_type(response) != "text/event-stream":
                _document(response, self.url)
                raise _not_the_sidecar(self.url, "answered %d without events" % response.status)
            return _EventStream(wire, response)
        except BaseException:
            wire.close()
            raise

    def request_update(self, *, force: bool = False) -> Update:
        """Asks the Supervisor to try an update now. With ``force`` all holders lose the lock, which needs the admin token."""
        update = self._ask("POST", "/v1/update", {"force": "true"} if force else None)
        return cast(Update, _check(update, "pending", bool, self.url))

    def wait_for_update(self, timeout: Optional[Duration] = None) -> Optional[Update]:
        """Waits until an update is pending, and returns it; None at the end of the timeout."""
        until = None if timeout is None else time.monotonic() + _seconds(timeout)
        waits = False
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())

            def attempt(left: Optional[float], waits: bool = waits) -> Document:
                # The first request does not wait, to find out at once whether the sidecar can know; nor does one without time left.
                patience = _at_most_an_hour(left) if waits else min(0.001, _at_most_an_hour(left))
                return self._ask("GET", "/v1/update?wait=" + _seconds_text(patience), patience=patience)

            update = _check(_persist(left, attempt, sleep=self._sleep), "pending", bool, self.url)
            if update["pending"]:
                return cast(Update, update)
            if update.get("supervisor") == "not-configured":
                raise UpdateLockError("the sidecar has not been given access to the Supervisor", "not-configured")
            if until is not None and time.monotonic() >= until:
                return None
            waits = True

    def _ask(
        self,
        method: str,
        path: str,
        form: Optional[Dict[str, str]] = None,
        patience: float = 0.0,
        headers: Optional[Dict[str, str]] = None,
        timeout: float = _ANSWER_TIMEOUT,
    ) -> Document:
        wire, response = self._send(method, path, form, patience + timeout, headers)
        try:
            return _document(response, self.url)
        finally:
            wire.close()

    def _send(
        self, method: str, path: str, form: Optional[Dict[str, str]], timeout: float, headers: Optional[Dict[str, str]] = None
    ) -> Tuple["_Wire", http.client.HTTPResponse]:
        """Sends a request on a connection of its own, and reads the head of the answer. The whole answer has to come within the timeout."""
        all_headers = {"Accept": "*/*", **(headers or {})}
        if self._token is not None:
            all_headers["Authorization"] = "Bearer " + self._token
        body = None
        if form:
            body = urlencode(form, errors="replace").encode("ascii")
            all_headers["Content-Type"] = "application/x-www-form-urlencoded"
        url = self.url
        endpoint = _endpoint(url)
        wire = _Wire(timeout)
        try:
            wire.connect(endpoint)
            self._on_connect(wire)
            # Only formats the request. It would close the connection during an answer with Connection: close.
            connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
            connection.sock = wire  # type: ignore[assignment]
            connection.request(method, path, body, all_headers)
            response = http.client.HTTPResponse(wire, method=method)  # type: ignore[arg-type]
            response.begin()
            return wire, response
        except BaseException as error:
            wire.close()
            if isinstance(error, PermissionError):
                raise NotAllowed("%s must not be opened by this user" % url, "forbidden") from error
            if isinstance(error, _BROKEN):
                elsewhere = "; if it is elsewhere, set UPDATE_LOCK_URL or the argument url" if self._url is None else ""
                raise Unreachable("the sidecar at %s cannot be reached: %s%s" % (url, _describe(error), elsewhere)) from error
            raise

    def _on_connect(self, wire: "_Wire") -> None:
        """Called with each connection, before anything is sent."""

    def _open_hold(
        self, name: str, form: Dict[str, str], wait: float, timeout: float, lease_id: Optional[str] = None
    ) -> "_HoldStream":
        """Asks once for a lease by connection; with an id, continues that very lease."""
        form = {**form, "wait": _seconds_text(wait)}
        wire, response = self._send("POST", _lease_path(name) + "/hold", form, timeout, _if_match(lease_id))
        try:
            if response.status != 200 or _content_type(response) != "application/x-ndjson":
                _document(response, self.url)
                raise _not_the_sidecar(self.url, "answered %d without a lease" % response.status)
            return _HoldStream(wire, response, name, self.url)
        except BaseException:
            # Also if it is interrupted: a request that waits holds nothing.
            wire.close()
            raise


class HeldLease:
    """A lease that is held by a connection. A background thread watches it, and continues it on a new connection if the sidecar
    restarts. It does not keep the process alive.

    Neither does a process made by ``os.fork`` hold anything: there, this does nothing any more.
    """

    def __init__(self, lock: UpdateLock, stream: "_HoldStream", form: Dict[str, str]) -> None:
        #: Set when the lock is lost: from then on, work is not protected any more.
        self.lost = threading.Event()
        #: Set when an update has waited long enough: the lease will be ended soon.
        self.draining = threading.Event()
        #: The lease as it was granted, or as it was when the hold last reconnected.
        self.document: Lease = cast(Lease, stream.lease)
        self.name: str = stream.lease["name"]
        self._lock = lock
        self._form = form
        # Called when a lease is lost, or about to be.
        self._on_change: Callable[[], None] = lambda: None
        self._error: Optional[LockLost] = None
        # Taken by the release, and kept. Taking it is one step, which an interrupt cannot leave half done.
        self._release = threading.Lock()
        self._woken = threading.Event()
        # The sidecar has answered the release, or has not in time.
        self._given_back = threading.Event()
        self._stream = stream
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._watch, name="update-lock " + self.name, daemon=True)

    def __repr__(self) -> str:
        is_over = self._is_released or os.getpid() != self._process
        state = "lost" if self.lost.is_set() else "released" if is_over else "held"
        return "<HeldLease %s: %s>" % (self.name, state)

    @property
    def _is_released(self) -> bool:
        return self._release.locked()

    def __enter__(self) -> "HeldLease":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        self.release()
        self._leave(error)

    def _leave(self, error: Optional[BaseException]) -> None:
        """Reports a loss at the end of a block, which has raised that error or none."""
        if error is None:
            self.check()
        elif self._error is not None and error is not self._error and error.__context__ is None:
            # The caller expects the error of the block; the loss of the lock is shown with it.
            error.__context__ = self._error

    def check(self) -> None:
        """Raises ``LockLost`` if the lock was lost, also if that was only noticed at its release."""
        if self._error is not None:
            raise self._error

    def release(self) -> None:
        """Releases the lease, and returns once the sidecar has confirmed that it has ended. Does not fail: a sidecar that cannot be
        reached ends it with the connection or, if it restarts, at the end of its grace period."""
        if os.getpid() != self._process:
            return
        until = time.monotonic() + _GOODBYE_TIMEOUT
        is_first = False
        ended = None
        try:
            is_first = self._release.acquire(blocking=False)
            self._woken.set()
            if is_first and not self.lost.is_set() and "id" in self.document:
                ended = self._give_back()
        finally:
            # The end of the connection ends this lease, and no other of its name.
            if is_first:
                self._given_back.set()
                self._stream.wire.shut_down(socket.SHUT_WR)
            if self._thread.is_alive():
                self._thread.join(max(0.0, until - time.monotonic()))
            if is_first:
                self._stream.wire.shut_down(socket.SHUT_RDWR)
        if ended is not None:
            self._lose("The lock is lost: the lease %s had ended before it was released" % self.name, ended)

    def _give_back(self) -> Optional[str]:
        """Asks the sidecar to end the lease. Returns how it had ended before, if it had."""
        attempts = 0

        def attempt(left: Optional[float]) -> Document:
            nonlocal attempts
            attempts += 1
            headers = _if_match(self.document["id"])
            return self._lock._ask("DELETE", _lease_path(self.name), headers=headers, timeout=_GOODBYE_TIMEOUT)

        try:
            ended = None if _persist(_PATIENCE, attempt) else "lost"
        except LockLost as error:
            ended = error.code
        except UpdateLockError:
            ended = None
        # An earlier attempt may have ended it, without an answer.
        return None if attempts > 1 and ended in ("lost", "released") else ended

    def _watch(self) -> None:
        try:
            while self._follow() and self._reattach():
                pass
        except Exception as error:
            # A lock that is not watched must not be relied on.
            if not self._is_released:
                self._lose("The lock is not watched any more: %r" % error, "lost", error)
        finally:
            self._stream.wire.close()

    def _follow(self) -> bool:
        """Reads the stream until it ends. Returns whether only the connection has ended, so that the lease may continue."""
        try:
            line = self._stream.read()
            while line is not None:
                if line.get("event") == "draining":
                    self.draining.set()
                    self._on_change()
                elif line.get("event") == "ended":
                    lease = line.get("lease")
                    reason = (_ended_reason(lease) if isinstance(lease, dict) else None) or "lost"
                    if not (self._is_released and reason in ("released", "disconnected")):
                        self._lose("The lock is lost: the lease %s has ended (%s)" % (self.name, reason), reason)
                    return False
                line = self._stream.read()
        except _BROKEN:
            pass
        return not self._is_released

    def _reattach(self) -> bool:
        """Reconnects to a sidecar that has restarted or been silent, and continues the lease. Returns whether the sidecar has kept it."""
        former = self._stream
        lease_id = self.document.get("id")
        if lease_id is None:
            # An older sidecar frees the name only after that.
            former.wire.close()

        def attempt(left: Optional[float]) -> _HoldStream:
            if self._is_released:
                raise LockLost("released", "released")
            # As long as possible: a request that was given up and is read later would take the lease from the next one.
            return self._lock._open_hold(self.name, self._form, 0.0, max(1.0, left or 0.0), lease_id)

        def passes(error: UpdateLockError) -> bool:
            return not isinstance(error, LockLost) and (lease_id is not None or error.code not in _GATES)

        try:
            stream = _persist(_GRACE, attempt, passes, self._woken.wait)
        except UpdateLockError as error:
            if not self._is_released:
                self._lose("The lock is lost: %s" % error, error.code, error)
            return False
        is_same = _is_same(self.document, stream.lease)
        if is_same:
            # First set, then check: a release does it in the opposite order, so that one of the two ends the stream.
            self.document, self._stream = cast(Lease, stream.lease), stream
        former.wire.close()
        if is_same and not self._is_released:
            return True
        if is_same:
            # The release ends the lease. If this connection ended first, the lease would seem to have been lost before.
            self._given_back.wait(_GOODBYE_TIMEOUT)
        stream.end()
        if not is_same:
            self._lose("The lock is lost: the sidecar did not keep the lease %s" % self.name, "lost")
        return False

    def _lose(self, message: str, code: str, cause: Optional[BaseException] = None) -> None:
        error = LockLost(message, code)
        error.__cause__ = cause
        if self._error is None:
            self._error = error
            self.lost.set()
            self._on_change()


class _HoldStream:
    """An open connection that holds a lease."""

    def __init__(self, wire: "_Wire", response: http.client.HTTPResponse, name: str, url: str) -> None:
        self.wire = wire
        self._response = response
        try:
            first = self._read()
            if first is None:
                raise ConnectionError("no lease has come")
        except _BROKEN as error:
            raise Unreachable("the sidecar at %s broke off: %s" % (url, _describe(error))) from error
        self.lease = _check_lease(first.get("lease"), name, url)

    def read(self) -> Optional[Document]:
        """Returns the next line, or None at the end. Raises if it does not come in time."""
        self.wire.allow(_SILENCE, 2 * _LONGEST_LINE)
        return self._read()

    def _read(self) -> Optional[Document]:
        line = self._response.readline(_LONGEST_LINE)
        return _parse(line) if line.endswith(b"\n") else None

    def end(self) -> None:
        """Ends the lease by ending the connection, and waits until the sidecar has noticed."""
        self.wire.shut_down(socket.SHUT_WR)
        self.wire.allow(_GOODBYE_TIMEOUT, _LONGEST_LINE)
        try:
            while self._read() is not None:
                pass
        except _BROKEN:
            pass
        self.wire.close()


class _EventStream:
    """An open connection on which server-sent events come (WHATWG HTML, 9.2)."""

    def __init__(self, wire: "_Wire", response: http.client.HTTPResponse) -> None:
        self.wire = wire
        self._response = response

    def events(self, last_id: str) -> Iterator[LockEvent]:
        """Ends with the connection. Raises if nothing comes in time, or something that is no event."""
        fields = {"id": last_id, "event": "", "data": ""}
        while True:
            self.wire.allow(_SILENCE, 2 * _LONGEST_LINE)
            line = self._response.readline(_LONGEST_LINE)
            if not line.endswith(b"\n"):
                return
            text = line.decode("utf-8").rstrip("\r\n")
            if text == "":
                if fields["data"]:
                    yield {"id": fields["id"], "type": fields["event"], "data": _parse(fields["data"].encode("utf-8"))}
                fields.update(event="", data="")
                continue
            field, _, value = text.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if field in fields:
                fields[field] = fields["data"] + value if field == "data" else value
            if len(fields["data"]) > _LONGEST_LINE:
                raise ValueError("an event does not end")


class AsyncUpdateLock:
    """The same as :class:`UpdateLock`, for asyncio. Each call runs in a thread of its own; a call that is cancelled leaves nothing held."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None) -> None:
        self._lock = UpdateLock(url, token)

    @property
    def url(self) -> str:
        return self._lock.url

    def hold(self, name: Optional[str] = None, *, reason: Optional[str] = None, wait: Optional[Duration] = None) -> "_Holding":
        """As :meth:`UpdateLock.hold`, for ``async with``. ``lease = await lock.hold()`` holds it until ``await lease.release()``."""

        def begin(lock: UpdateLock) -> HeldLease:
            held = lock.hold(name, reason=reason, wait=wait)
            # What is held cannot be aborted, only released.
            held._lock = self._lock
            return held

        return _Holding(begin, self._lock)

    async def acquire(
        self, name: str, *, ttl: Optional[Duration] = None, reason: Optional[str] = None, wait: Duration = 1.0
    ) -> Lease:
        return await _in_thread(_Abortable(self._lock), lambda lock: lock.acquire(name, ttl=ttl, reason=reason, wait=wait))

    async def renew(self, name: str, *, ttl: Optional[Duration] = None) -> Lease:
        return await _in_thread(_Abortable(self._lock), lambda lock: lock.renew(name, ttl=ttl))

    async def release(self, name: str) -> Optional[EndedLease]:
        return await _in_thread(_Abortable(self._lock), lambda lock: lock.release(name))

    async def status(self) -> LockStatus:
        return await _in_thread(_Abortable(self._lock), UpdateLock.status)

    async def leases(self) -> List[Lease]:
        return await _in_thread(_Abortable(self._lock), UpdateLock.leases)

    async def history(self) -> List[HistoryEntry]:
        return await _in_thread(_Abortable(self._lock), UpdateLock.history)

    async def events(self, *, last_event_id: Optional[str] = None) -> AsyncIterator[LockEvent]:
        lock = _Abortable(self._lock)
        events = lock.events(last_event_id=last_event_id)
        try:
            while True:
                yield await _in_thread(lock, lambda _: next(events))
        finally:
            lock.abort()

    async def request_update(self, *, force: bool = False) -> Update:
        return await _in_thread(_Abortable(self._lock), lambda lock: lock.request_update(force=force))

    async def wait_for_update(self, timeout: Optional[Duration] = None) -> Optional[Update]:
        return await _in_thread(_Abortable(self._lock), lambda lock: lock.wait_for_update(timeout))


class AsyncHeldLease:
    """A lease that is held by a connection, as :class:`HeldLease`, for asyncio."""

    def __init__(self, held: HeldLease, loop: "asyncio.AbstractEventLoop") -> None:
        import asyncio

        #: Set when the lock is lost: from then on, work is not protected any more.
        self.lost = asyncio.Event()
        #: Set when an update has waited long enough: the lease will be ended soon.
        self.draining = asyncio.Event()
        self._held = held
        self._loop = loop
        held._on_change = self._wake
        self._look()

    @property
    def name(self) -> str:
        return self._held.name

    @property
    def document(self) -> Lease:
        """The lease as it was granted, or as it was when the hold last reconnected."""
        return self._held.document

    def check(self) -> None:
        """Raises ``LockLost`` if the lock was lost, also if that was only noticed at its release."""
        self._held.check()

    async def release(self) -> None:
        """Releases the lease, and returns once the sidecar has confirmed that it has ended. Does not fail. If it is cancelled, the
        release goes on."""
        await _in_thread(None, lambda _: self._held.release())

    async def __aenter__(self) -> "AsyncHeldLease":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        await self.release()
        self._held._leave(error)

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._look)
        except RuntimeError:
            # The loop is closed: nobody is left to be told.
            pass

    def _look(self) -> None:
        if self._held.lost.is_set():
            self.lost.set()
        if self._held.draining.is_set():
            self.draining.set()


class _Holding:
    """A hold that begins when it is awaited or entered."""

    def __init__(self, hold: Callable[[UpdateLock], HeldLease], lock: UpdateLock) -> None:
        self._hold = hold
        self._lock = lock

    def __await__(self) -> Generator[Any, None, AsyncHeldLease]:
        return self._begin().__await__()

    async def _begin(self) -> AsyncHeldLease:
        import asyncio

        held = await _in_thread(_Abortable(self._lock), self._hold, undo=HeldLease.release)
        return AsyncHeldLease(held, asyncio.get_running_loop())

    async def __aenter__(self) -> AsyncHeldLease:
        self._lease = await self
        return self._lease

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        await self._lease.__aexit__(kind, error, traceback)


class _Aborted(Exception):
    """A call was given up; nobody waits for its result."""


class _Abortable(UpdateLock):
    """Another UpdateLock, for one call that can be given up from another thread."""

    def __init__(self, lock: UpdateLock) -> None:
        self.__dict__.update(lock.__dict__)
        self._aborted = threading.Event()
        self._wire: Optional[_Wire] = None
        self._sleep = self._pause

    def abort(self) -> None:
        self._aborted.set()
        if self._wire is not None:
            self._wire.shut_down(socket.SHUT_RDWR)

    # Sets the wire first, then checks; an abort does it in the opposite order, so that one of the two ends the call.
    def _on_connect(self, wire: "_Wire") -> None:
        self._wire = wire
        if self._aborted.is_set():
            raise _Aborted()

    def _pause(self, seconds: float) -> None:
        if self._aborted.wait(seconds):
            raise _Aborted()


async def _in_thread(lock: Any, call: Callable[[Any], _T], undo: Optional[Callable[[_T], Any]] = None) -> _T:
    """Makes a blocking call in a thread of its own, which does not keep the process alive. If it is cancelled, the call is aborted, and
    undone if it had succeeded already."""
    import asyncio

    loop = asyncio.get_running_loop()
    done: "asyncio.Future[_T]" = loop.create_future()

    def settle(result: Any, error: Optional[BaseException]) -> None:
        if done.cancelled():
            take_back(result, error)
        elif error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def take_back(result: Any, error: Optional[BaseException]) -> None:
        if error is None and undo is not None:
            threading.Thread(target=undo, args=(result,), name="update-lock undo", daemon=True).start()

    def work() -> None:
        result, error = None, None
        try:
            result = call(lock)
        except BaseException as failure:
            error = failure
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            # The loop is closed.
            take_back(result, error)

    threading.Thread(target=work, name="update-lock call", daemon=True).start()
    try:
        return await done
    except asyncio.CancelledError:
        if done.done() and not done.cancelled():
            # The caller was cancelled before it could see the result.
            failure = done.exception()
            take_back(done.result() if failure is None else None, failure)
        elif lock is not None:
            lock.abort()
        raise


class _Wire(io.RawIOBase):
    """A connection with limits for time and size, whatever the server does: it fails when the time is over, or when more bytes have
    come than are allowed."""

    _socket: Any = None

    def __init__(self, seconds: float) -> None:
        self.allow(seconds, _LONGEST_ANSWER)
        _wires.add(self)

    def allow(self, seconds: float, size: int) -> None:
        self._until = time.monotonic() + seconds
        self._size = size

    def connect(self, endpoint: "_Endpoint") -> None:
        addresses: List[Any] = [(socket.AF_UNIX, endpoint.path)]
        if endpoint.path is None:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
            addresses = [(family, address) for family, _, _, _, address in found]
        failure: Optional[OSError] = None
        for family, address in addresses:
            try:
                with _no_fork:
                    self._socket = socket.socket(family, socket.SOCK_STREAM)
                self._socket.settimeout(min(_CONNECT_TIMEOUT, self._left()))
                self._socket.connect(address)
                break
            except OSError as error:
                failure = error
                if self._socket is not None:
                    self._socket.close()
        else:
            raise failure or OSError("it has no address")
        if endpoint.path is None:
            # Notices a sidecar whose machine was lost meanwhile.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if endpoint.is_secure:
            import ssl

            context = ssl.create_default_context()
            with _no_fork:
                self._socket = context.wrap_socket(self._socket, do_handshake_on_connect=False, server_hostname=endpoint.host)
            self._socket.settimeout(self._left())
            self._socket.do_handshake()

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise socket.timeout("it took too long")
        return left

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._size <= 0:
            raise OSError("it said too much")
        self._socket.settimeout(self._left())
        count = self._socket.recv_into(buffer)
        self._size -= count
        return count

    def shut_down(self, how: int) -> None:
        """Unlike ``close``, this may be called while another thread reads, whose read then ends."""
        try:
            self._socket.shutdown(how)
        except OSError:
            pass

    def flush(self) -> None:
        """There is nothing to flush; http.client calls this when it drops an answer, also on a closed connection."""

    def close(self) -> None:
        super().close()
        if self._socket is not None:
            # A child that is forked while the descriptor is being closed has a copy, which must not keep the connection open.
            self.shut_down(socket.SHUT_RDWR)
            self._socket.close()

    def drop(self) -> None:
        """Closes the descriptor without ending the connection, which another process uses."""
        descriptor = -1 if self._socket is None else self._socket.detach()
        if descriptor >= 0:
            os.close(descriptor)


# The connections of this process; its children do not use them.
_wires: "weakref.WeakSet[_Wire]" = weakref.WeakSet()
# Held while a socket exists that no wire refers to yet.
_no_fork = threading.RLock()


def _drop_all() -> None:
    _no_fork.release()
    for wire in list(_wires):
        wire.drop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_drop_all)


class _Endpoint(NamedTuple):
    path: Optional[str]
    host: str
    port: int
    is_secure: bool


def _endpoint(url: str, origin: str = "url") -> _Endpoint:
    if url.startswith("unix:/"):
        return _Endpoint(url[len("unix:") :], "localhost", 80, False)
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        has_path = (parts.path + parts.query + parts.fragment).strip("/") != ""
        if parts.scheme in ("http", "https") and parts.hostname and not has_path and not re.search(r"[^\x21-\x7e]", url):
            return _Endpoint(None, parts.hostname, port, parts.scheme == "https")
    except ValueError:
        pass
    allowed = "http://HOST:PORT, https://HOST:PORT and unix:/PATH"
    raise InvalidRequest("%s: %r is not the address of a sidecar; allowed are %s" % (origin, url, allowed), "invalid")


def _persist(
    limit: Optional[float],
    attempt: Callable[[Optional[float]], _T],
    passes: Optional[Callable[[UpdateLockError], bool]] = None,
    sleep: Callable[[float], Any] = time.sleep,
) -> _T:
    """Tries until an attempt succeeds or fails for good; the attempt gets the number of seconds that are left."""
    until = None if limit is None else time.monotonic() + limit
    pause = _FIRST_PAUSE
    while True:
        begun = time.monotonic()
        try:
            return attempt(None if until is None else max(0.0, until - begun))
        except UpdateLockError as error:
            now = time.monotonic()
            if not (passes or _passes)(error) or (until is not None and now >= until):
                raise
        # An attempt that took long was not a quick failure, so the pauses begin anew.
        pause = _FIRST_PAUSE if now - begun > _LONGEST_PAUSE else pause
        sleep(pause if until is None else max(0.0, min(pause, until - now)))
        pause = min(_LONGEST_PAUSE, 2 * pause)


def _passes(error: UpdateLockError) -> bool:
    if isinstance(error, LockUnavailable):
        return error.code != "name-in-use"
    return isinstance(error, Unreachable) and not isinstance(error, _NotTheSidecar)


def _parse(text: bytes) -> Document:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document


def _document(response: http.client.HTTPResponse, url: str) -> Document:
    """Returns the document of a successful answer, empty if it has none; raises the error for a problem."""
    try:
        text = b"".join(iter(lambda: response.read(65536), b""))
    except _BROKEN as error:
        raise Unreachable("the sidecar at %s broke off: %s" % (url, _describe(error))) from error
    status = response.status
    if status == 204:
        return {}
    try:
        document = _parse(text)
    except _BROKEN:
        document = {}
    kind = _content_type(response)
    if kind == "application/problem+json" and isinstance(document.get("code"), str):
        raise _error_of(status, document)
    if 200 <= status < 300 and kind == "application/json" and document:
        return document
    what = "answered %d with %s" % (status, kind or "no content type")
    # Without a content type, the head may be incomplete.
    raise _not_the_sidecar(url, what) if status < 300 and kind else Unreachable("%s %s: is this the sidecar?" % (url, what))


def _content_type(response: http.client.HTTPResponse) -> str:
    return (response.getheader("Content-Type") or "").split(";")[0].strip().lower()


def _error_of(status: int, problem: Document) -> UpdateLockError:
    code = str(problem["code"])
    detail = str(problem.get("detail", code))
    holder = problem.get("holder") if isinstance(problem.get("holder"), str) else None
    if status in (401, 403):
        return NotAllowed(detail, code)
    if status in (409, 423, 429) or (status == 503 and code != "supervisor-unavailable"):
        return LockUnavailable(detail, code, holder)
    if status == 410:
        return LockLost(detail, _ended_reason(problem) or code)
    if status == 412:
        return LockLost(detail, _ended_reason(problem) or "lease-not-found")
    return UpdateLockError(detail, code) if status >= 500 else InvalidRequest(detail, code)


def _ended_reason(document: Document) -> Optional[str]:
    """Returns how a lease has ended, if the document says so."""
    ended = document.get("ended")
    reason = ended.get("reason") if isinstance(ended, dict) else None
    return reason if isinstance(reason, str) else None


def _not_the_sidecar(url: str, what: str) -> UpdateLockError:
    return _NotTheSidecar("%s %s: is this the sidecar?" % (url, what))


def _check(document: Document, field: str, kind: type, url: str) -> Document:
    if isinstance(document.get(field), kind):
        return document
    raise _not_the_sidecar(url, "answered without %r" % field)


def _check_lease(lease: Any, name: str, url: str) -> Document:
    """Compares leases by their ids. An older sidecar gives none; then the time of the grant is compared."""
    if isinstance(lease, dict) and lease.get("name") == name:
        lease_id = lease.get("id")
        if isinstance(lease_id, str) and _ID.fullmatch(lease_id):
            return lease
        if "id" not in lease and isinstance(lease.get("since"), str):
            return lease
    raise _not_the_sidecar(url, "answered with something else than the lease %s" % name)


def _is_same(ours: Lease, other: Document) -> bool:
    if "id" in ours and "id" in other:
        return bool(ours["id"] == other["id"])
    return bool(ours["since"] == other.get("since"))


def _if_match(lease_id: Optional[str]) -> Dict[str, str]:
    return {} if lease_id is None else {"If-Match": '"%s"' % lease_id}


def _check_name(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    allowed = '1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit'
    raise InvalidRequest("%r is not the name of a lease; allowed are %s" % (name, allowed), "invalid")


def _lease_path(name: str) -> str:
    return "/v1/leases/" + _check_name(name)


def _make_name() -> str:
    """Makes a unique name: the program's name is for people; the host's name tells containers apart, whose process ids are alike; the
    random end tells apart the leases of one process."""
    program = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0] or "python"
    parts = [_shorten(program, 24), _shorten(socket.gethostname(), 20), str(os.getpid())]
    chance = "%06x" % random.SystemRandom().randrange(16**6)
    return "-".join([part for part in parts if part] + [chance])


def _shorten(text: str, length: int) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:length].rstrip("._-")


def _seconds(duration: Duration) -> float:
    seconds: float = -1.0
    if isinstance(duration, (int, float)) and not isinstance(duration, bool):
        seconds = duration
    elif isinstance(duration, str) and _NUMBER.fullmatch(duration):
        seconds = float(duration)
    elif isinstance(duration, str):
        match = _DURATION.fullmatch(duration)
        if match:
            seconds = sum(float(amount) * unit for amount, unit in zip(match.groups(), _UNITS) if amount)
    if 0 <= seconds <= threading.TIMEOUT_MAX:
        return float(seconds)
    allowed = "a number of seconds, or '500ms', '90s', '5m', '1h30m', '1d'"
    raise InvalidRequest("%r is not a duration; allowed is %s" % (duration, allowed), "invalid")


def _seconds_text(seconds: float) -> str:
    return "%dms" % round(seconds * 1000)


def _at_most_an_hour(left: Optional[float]) -> float:
    return _LONGEST_WAIT if left is None else min(left, _LONGEST_WAIT)


def _form(ttl: Optional[Duration] = None, reason: Optional[str] = None) -> Dict[str, str]:
    form = {}
    if ttl is not None:
        seconds = _seconds(ttl)
        # Text is sent as it is, so that the sidecar's answer quotes it so.
        form["ttl"] = ttl if isinstance(ttl, str) else _seconds_text(seconds)
    if reason is not None:
        form["reason"] = reason
    return form


def _describe(error: BaseException) -> str:
    return str(error) or type(error).__name__
