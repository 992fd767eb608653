"""Hold the balena update lock while a piece of work must not be interrupted, by asking the update-lock sidecar for it.

    from update_lock import UpdateLock

    with UpdateLock().hold("recorder", reason="recording") as lease:
        while not lease.lost.is_set():
            record()

Standard library only, Python 3.8 and later. Which sidecar: the URL that is given, or ``UPDATE_LOCK_URL``
(``http://update-lock:8080``, ``unix:/run/update-lock/update-lock.sock``), else the default socket if it is there, else
``http://update-lock:8080``. The token: the one that is given, or ``UPDATE_LOCK_TOKEN``.

Lengths of time are in seconds, or text as the sidecar has it: ``"500ms"``, ``"90s"``, ``"5m"``, ``"1h30m"``, ``"1d"``.
"""

import http.client
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
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Type, TypeVar, Union
from urllib.parse import urlencode, urlsplit

__all__ = [
    "HeldLease",
    "InvalidRequest",
    "LockLost",
    "LockUnavailable",
    "NotAllowed",
    "Unreachable",
    "UpdateLock",
    "UpdateLockError",
]
__version__ = "0.1.0"

Duration = Union[float, str]
#: A JSON object as the sidecar's API has it: a lease, the lock, an update.
Document = Dict[str, Any]

DEFAULT_SOCKET = "/run/update-lock/update-lock.sock"
DEFAULT_URL = "http://update-lock:8080"

# The longest wait that the sidecar allows in one request.
_LONGEST_WAIT = 3600.0
# A line comes every 15 s; a connection that is silent for more than two of these is dead.
_SILENCE = 31.0
# After a restart the sidecar keeps a lease for this long, for its holder to come back.
_GRACE = 30.0
_CONNECT_TIMEOUT = 5.0
# How long an answer may take, beyond what it was asked to wait.
_ANSWER_TIMEOUT = 10.0
_GOODBYE_TIMEOUT = 5.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_DURATION = re.compile(
    r"(?=.)(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)

_T = TypeVar("_T")


class UpdateLockError(Exception):
    """What all errors of this module are. ``code`` is the problem's code as the sidecar has it, or the one the class says."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class LockUnavailable(UpdateLockError):
    """The lock, or the name, could not be had in time. ``holder`` says who is in the way, where that is known."""

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


class InvalidRequest(UpdateLockError):
    """The request itself is wrong (a name, a duration, the sidecar's address): it would never be granted."""


class NotAllowed(UpdateLockError):
    """A token is missing or does not allow this (``unauthorized``, ``forbidden``), or the socket's permissions do not."""


class UpdateLock:
    """A sidecar to ask. Makes no connection by itself, and may be used by several threads."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None) -> None:
        self._url = url or os.environ.get("UPDATE_LOCK_URL") or None
        self._token = token or os.environ.get("UPDATE_LOCK_TOKEN") or None
        if self._token is not None and re.search(r"[^\x21-\x7e]", self._token):
            raise InvalidRequest("the token has characters that no HTTP header may have", "invalid")
        _endpoint(self.url)

    @property
    def url(self) -> str:
        """Where it asks. The default socket may come later than this process, so it is looked for every time."""
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
        stream = self._persist(limit, lambda left: self._open_hold(name, form, _at_most_an_hour(left)))
        try:
            return HeldLease(self, stream, form)
        except BaseException:
            stream.close()
            raise

    def acquire(
        self, name: str, *, ttl: Optional[Duration] = None, reason: Optional[str] = None, wait: Duration = 1.0
    ) -> Document:
        """Takes the lease, or renews a live one: for ``ttl`` from now (5 minutes if the sidecar was not told otherwise)."""
        form = _form(ttl=ttl, reason=reason)
        path = _lease_path(name)

        def attempt(left: Optional[float]) -> Document:
            patience = _at_most_an_hour(left)
            return self._ask("PUT", path, {**form, "wait": _seconds_text(patience)}, patience)

        return self._persist(_seconds(wait), attempt)

    def renew(self, name: str, *, ttl: Optional[Duration] = None) -> Document:
        """Renews the lease; fails with ``LockLost`` if it has ended, rather than beginning a new one."""
        try:
            return self._ask("PUT", _lease_path(name), _form(ttl=ttl), headers={"If-Match": "*"})
        except InvalidRequest as error:
            if error.code != "precondition-failed":
                raise
        try:
            self._ask("GET", _lease_path(name))
        except InvalidRequest as error:
            raise LockLost(str(error), error.code) from None
        raise LockLost("The lease %s had ended when it was to be renewed" % name, "lost")

    def release(self, name: str) -> Optional[Document]:
        """Releases the lease and returns it as it was; None if there was none of that name."""
        return self._ask("DELETE", _lease_path(name)) or None

    def status(self) -> Document:
        """The lock: ``state``, ``leases``, and ``summary``, one sentence that says why the device is not updating."""
        return self._ask("GET", "/v1/lock")

    def leases(self) -> List[Document]:
        """The live leases, oldest first."""
        leases: List[Document] = self._ask("GET", "/v1/leases")["leases"]
        return leases

    def wait_for_update(self, timeout: Optional[Duration] = None) -> Optional[Document]:
        """Waits until an update is pending, and returns it; None at the end of the timeout."""
        until = None if timeout is None else time.monotonic() + _seconds(timeout)
        waits = False
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())

            def attempt(left: Optional[float], waits: bool = waits) -> Document:
                # Hardly at first: whether it can be known at all is to be said at once. Without time left, as long as it takes.
                patience = _at_most_an_hour(left) if waits else min(0.001, _at_most_an_hour(left))
                return self._ask("GET", "/v1/update?wait=" + _seconds_text(patience), patience=patience)

            update = self._persist(left, attempt)
            if update["pending"]:
                return update
            if update["supervisor"] == "not-configured":
                raise UpdateLockError("the sidecar has not been given access to the Supervisor", "not-configured")
            if until is not None and time.monotonic() >= until:
                return None
            waits = True

    def _persist(self, limit: Optional[float], attempt: Callable[[Optional[float]], _T]) -> _T:
        """Tries until it works, while what failed may work later; the attempt is told how many seconds are left."""
        until = None if limit is None else time.monotonic() + limit
        pause = _FIRST_PAUSE
        while True:
            begun = time.monotonic()
            try:
                return attempt(None if until is None else max(0.0, until - begun))
            except (LockUnavailable, Unreachable) as error:
                now = time.monotonic()
                if error.code == "name-in-use" or (until is not None and now >= until):
                    raise
            # One that has waited for long was no quick failure.
            pause = _FIRST_PAUSE if now - begun > _LONGEST_PAUSE else pause
            time.sleep(pause if until is None else max(0.0, min(pause, until - now)))
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _ask(
        self,
        method: str,
        path: str,
        form: Optional[Dict[str, str]] = None,
        patience: float = 0.0,
        headers: Optional[Dict[str, str]] = None,
        timeout: float = _ANSWER_TIMEOUT,
    ) -> Document:
        connection = _connect(self.url)
        try:
            response = self._send(connection, method, path, form, patience + timeout, headers)
            return _document(response, self.url)
        finally:
            connection.close()

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        form: Optional[Dict[str, str]],
        timeout: float,
        headers: Optional[Dict[str, str]] = None,
    ) -> http.client.HTTPResponse:
        all_headers = {"Accept": "*/*", **(headers or {})}
        if self._token is not None:
            all_headers["Authorization"] = "Bearer " + self._token
        body = None
        if form:
            body = urlencode(form, errors="replace").encode("ascii")
            all_headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.connect()
            connection.sock.settimeout(timeout)
            connection.request(method, path, body, all_headers)
            return connection.getresponse()
        except PermissionError as error:
            raise NotAllowed("%s must not be opened by this user" % self.url, "forbidden") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable("the sidecar at %s cannot be reached: %s" % (self.url, _describe(error))) from error

    def _open_hold(self, name: str, form: Dict[str, str], wait: float) -> "_HoldStream":
        """Asks once for a lease by connection."""
        connection = _connect(self.url)
        try:
            form = {**form, "wait": _seconds_text(wait)}
            response = self._send(connection, "POST", "/v1/leases/%s/hold" % name, form, wait + _ANSWER_TIMEOUT)
            if response.status != 200:
                _document(response, self.url)
                raise Unreachable("%s is not the sidecar: it answered a hold with %d" % (self.url, response.status))
            return _HoldStream(connection, response, self.url)
        except BaseException:
            # Whoever is interrupted while waiting holds nothing.
            connection.close()
            raise


class HeldLease:
    """A lease that is held by a connection. A thread of the background watches it, and takes it up again if the sidecar
    restarts. It does not keep the process alive.

    Neither does a process made by ``os.fork`` hold anything: there, this does nothing any more.
    """

    def __init__(self, lock: UpdateLock, stream: "_HoldStream", form: Dict[str, str]) -> None:
        #: Set the moment the lock is lost: what must not be interrupted is not protected any more.
        self.lost = threading.Event()
        #: Set when an update has waited long enough: the lock will be taken away soon.
        self.draining = threading.Event()
        #: The lease as it was granted.
        self.document: Document = stream.lease
        self.name: str = stream.lease["name"]
        self._lock = lock
        self._form = form
        self._error: Optional[LockLost] = None
        self._released = threading.Event()
        self._mutex = threading.Lock()
        self._stream: Optional[_HoldStream] = stream
        _held.add(self)
        self._thread = threading.Thread(target=self._watch, args=(stream,), name="update-lock " + self.name, daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        state = "lost" if self.lost.is_set() else "released" if self._released.is_set() else "held"
        return "<HeldLease %s: %s>" % (self.name, state)

    def __enter__(self) -> "HeldLease":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]
    ) -> None:
        self.release()
        if error is None:
            self.check()
        elif self._error is not None and error is not self._error and error.__context__ is None:
            # The block's own error is what its caller expects; that the lock was lost is shown with it.
            error.__context__ = self._error

    def check(self) -> None:
        """Raises ``LockLost`` if the lock was lost."""
        if self._error is not None:
            raise self._error

    def release(self) -> None:
        """Gives the lease back. Does not fail: a sidecar that cannot be told ends the lease when the connection ends."""
        with self._mutex:
            stream, self._stream = self._stream, None
            was_released = self._released.is_set()
            self._released.set()
        _held.discard(self)
        if was_released or self.lost.is_set():
            return
        try:
            self._lock._ask("DELETE", _lease_path(self.name), timeout=_GOODBYE_TIMEOUT)
        except UpdateLockError:
            pass
        finally:
            if stream is not None:
                stream.abort()

    def _watch(self, stream: "_HoldStream") -> None:
        current: Optional[_HoldStream] = stream
        while current is not None:
            ended = self._follow(current)
            current.close()
            if self._released.is_set():
                return
            if ended is not None:
                self._lose("The lock is lost: the lease %s has ended (%s)" % (self.name, ended), ended)
                return
            current = self._take_up()

    def _follow(self, stream: "_HoldStream") -> Optional[str]:
        """Reads the stream until it ends; returns how the lease has, None if only the connection has."""
        try:
            for line in stream.lines():
                if line.get("event") == "draining":
                    self.draining.set()
                elif line.get("event") == "ended":
                    return str(line["lease"]["ended"]["reason"])
        except (OSError, ValueError, http.client.HTTPException, KeyError, TypeError, AttributeError):
            pass
        return None

    def _take_up(self) -> Optional["_HoldStream"]:
        """Finds a sidecar again that has restarted, and takes up the lease that it has kept."""
        until = time.monotonic() + _GRACE
        pause = _FIRST_PAUSE
        while True:
            try:
                stream = self._lock._open_hold(self.name, self._form, 0.0)
                break
            except UpdateLockError as error:
                passes = isinstance(error, Unreachable) or error.code in ("name-in-use", "stopping", "cannot-lock", "internal")
                if not passes or time.monotonic() >= until:
                    self._lose("The lock is lost: %s" % error, error.code if passes else "lost", error)
                    return None
            if self._released.wait(pause):
                return None
            pause = min(_LONGEST_PAUSE, 2 * pause)
        if stream.lease["since"] != self.document["since"]:
            stream.close()
            self._lose("The lock is lost: the sidecar did not keep the lease %s" % self.name, "lost")
            return None
        with self._mutex:
            if not self._released.is_set():
                self._stream = stream
                return stream
        stream.close()
        return None

    def _lose(self, message: str, code: str, cause: Optional[BaseException] = None) -> None:
        error = LockLost(message, code)
        error.__cause__ = cause
        with self._mutex:
            if self._released.is_set():
                return
            self._error = error
            self._stream = None
            self.lost.set()

    def _forget(self) -> None:
        """In a child of os.fork: the connection is the parent's."""
        self._mutex = threading.Lock()
        stream, self._stream = self._stream, None
        self._released = threading.Event()
        self._released.set()
        if stream is not None:
            stream.drop()


class _HoldStream:
    """An open connection that holds a lease."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, url: str) -> None:
        self._connection = connection
        self._response = response
        self._socket: socket.socket = connection.sock
        self._socket.settimeout(_SILENCE)
        try:
            first = self._read()
            self.lease: Document = {} if first is None else first["lease"]
            if first is None or first["event"] != "held":
                raise ValueError("no lease")
        except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
            raise Unreachable("the sidecar at %s broke off: %s" % (url, _describe(error))) from error

    def lines(self) -> "_Lines":
        return _Lines(self._read)

    def _read(self) -> Optional[Document]:
        text = self._response.readline()
        if not text.endswith(b"\n"):
            return None
        document: Document = json.loads(text)
        return document

    def close(self) -> None:
        self._response.close()
        self._connection.close()

    def abort(self) -> None:
        """Ends it from another thread than the one that reads."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def drop(self) -> None:
        """Closes it without a word to the other end, which another process talks to."""
        descriptor = self._socket.detach()
        if descriptor >= 0:
            os.close(descriptor)


class _Lines:
    def __init__(self, read: Callable[[], Optional[Document]]) -> None:
        self._read = read

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> Document:
        line = self._read()
        if line is None:
            raise StopIteration
        return line


# What this process holds, so that its children do not.
_held: "weakref.WeakSet[HeldLease]" = weakref.WeakSet()


def _forget_all() -> None:
    for lease in list(_held):
        lease._forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


class _Endpoint(NamedTuple):
    path: Optional[str]
    host: str
    port: int
    prefix: str
    is_secure: bool


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_CONNECT_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(_CONNECT_TIMEOUT)
            self.sock.connect(self._path)
        except BaseException:
            self.sock.close()
            raise


class _TcpConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        # A sidecar whose machine has gone while we wait shows by then.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _endpoint(url: str) -> _Endpoint:
    if url.startswith("unix:/"):
        return _Endpoint(url[len("unix:") :], "localhost", 0, "", False)
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if parts.scheme in ("http", "https") and parts.hostname:
            return _Endpoint(None, parts.hostname, port, parts.path.rstrip("/"), parts.scheme == "https")
    except ValueError:
        pass
    raise InvalidRequest("%r is not http://HOST:PORT or unix:/PATH" % url, "invalid")


def _connect(url: str) -> http.client.HTTPConnection:
    """A connection that is not open yet."""
    endpoint = _endpoint(url)
    if endpoint.path is not None:
        return _UnixConnection(endpoint.path)
    if endpoint.is_secure:
        return http.client.HTTPSConnection(endpoint.host, endpoint.port, timeout=_CONNECT_TIMEOUT)
    return _TcpConnection(endpoint.host, endpoint.port, timeout=_CONNECT_TIMEOUT)


def _document(response: http.client.HTTPResponse, url: str) -> Document:
    """The document of a good answer, empty if it has none; raises what a problem stands for."""
    try:
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable("the sidecar at %s broke off: %s" % (url, _describe(error))) from error
    status = response.status
    if status == 204:
        return {}
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    kind = (response.getheader("Content-Type") or "").split(";")[0]
    if isinstance(document, dict) and 200 <= status < 300 and kind == "application/json":
        return document
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        raise Unreachable("%s is not the sidecar, or something is in between: it answered %d %s" % (url, status, kind))
    raise _error_of(status, document)


def _error_of(status: int, problem: Document) -> UpdateLockError:
    code = str(problem["code"])
    detail = str(problem.get("detail", code))
    if status in (401, 403):
        return NotAllowed(detail, code)
    if status in (409, 423, 429) or (status == 503 and code != "supervisor-unavailable"):
        return LockUnavailable(detail, code, problem.get("holder"))
    if status == 410:
        return LockLost(detail, str((problem.get("ended") or {}).get("reason", code)))
    return UpdateLockError(detail, code) if status >= 500 else InvalidRequest(detail, code)


def _check_name(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    allowed = '1 to 64 of letters, digits, ".", "_" and "-", the first a letter or digit'
    raise InvalidRequest("%r is not the name of a lease; allowed are %s" % (name, allowed), "invalid")


def _lease_path(name: str) -> str:
    return "/v1/leases/" + _check_name(name)


def _make_name() -> str:
    """The program's name for people; the host's tells containers apart, in which process ids are all alike; the end by chance
    tells apart what one process holds at a time."""
    program = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0] or "python"
    parts = [_shorten(program, 24), _shorten(socket.gethostname(), 20), str(os.getpid())]
    chance = "%06x" % random.SystemRandom().randrange(16**6)
    return "-".join([part for part in parts if part] + [chance])


def _shorten(text: str, length: int) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:length].rstrip("._-")


def _seconds(duration: Duration) -> float:
    if isinstance(duration, (int, float)) and not isinstance(duration, bool) and 0 <= duration < float("inf"):
        return float(duration)
    if isinstance(duration, str):
        if _NUMBER.fullmatch(duration):
            return float(duration)
        match = _DURATION.fullmatch(duration)
        if match:
            return sum(float(amount) * unit for amount, unit in zip(match.groups(), _UNITS) if amount)
    allowed = "a number of seconds, or '500ms', '90s', '5m', '1h30m', '1d'"
    raise InvalidRequest("%r is not a duration; allowed is %s" % (duration, allowed), "invalid")


def _seconds_text(seconds: float) -> str:
    return "%dms" % round(seconds * 1000)


def _at_most_an_hour(left: Optional[float]) -> float:
    return _LONGEST_WAIT if left is None else min(left, _LONGEST_WAIT)


def _form(ttl: Optional[Duration] = None, reason: Optional[str] = None) -> Dict[str, str]:
    form = {}
    if ttl is not None:
        form["ttl"] = _seconds_text(_seconds(ttl))
    if reason is not None:
        form["reason"] = reason
    return form


def _describe(error: BaseException) -> str:
    return str(error) or type(error).__name__
