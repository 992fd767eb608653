"""Run by python.test.ts: whatever answers in the sidecar's place, a call ends in time, in bounded memory, with an error of this module."""

import contextlib
import os
import random
import resource
import socket
import threading
import time
import unittest
from typing import Any, Iterator, List, Tuple

import update_lock
from stand_in import Answer, Request, StandIn, lease
from update_lock import InvalidRequest, LockLost, Unreachable, UpdateLock, UpdateLockError

NDJSON = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
JSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 100_000


@contextlib.contextmanager
def hurry(**seconds: float) -> Iterator[None]:
    """Lets the client be less patient, or allow fewer bytes."""
    patient = {name: getattr(update_lock, name) for name in seconds}
    for name, value in seconds.items():
        setattr(update_lock, name, value)
    try:
        yield
    finally:
        for name, value in patient.items():
            setattr(update_lock, name, value)


def by_turns(*answers: Answer) -> Answer:
    """Answers the first request by the first of these, and so on; the last one answers all that follow."""
    left = list(answers)

    def answer(request: Request) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def trickle(*head: str) -> Answer:
    """A byte every now and then, without an end."""

    def answer(request: Request) -> None:
        request.send(*head)
        while True:
            request.send(b" ")
            time.sleep(0.02)

    return answer


def flood(head: str, piece: bytes) -> Answer:
    def answer(request: Request) -> None:
        request.send(head)
        while True:
            request.send(piece)

    return answer


def say(*parts: "bytes | str") -> Answer:
    return lambda request: request.send(*parts)


def hold(request: Request) -> None:
    request.begin_hold(lease())
    request.wait_for_the_end()


class Holding(unittest.TestCase):
    """The first line of a hold can come in many ways."""

    HELD = b'{"event":"held","lease":{"id":"id-1","name":"recorder","since":"x"}}\n'

    def test_any_framing_of_the_answer_will_do(self) -> None:
        framings = {
            "until the connection ends": (NDJSON + "\r\n", self.HELD),
            "Connection: close": (NDJSON + "Connection: close\r\n\r\n", self.HELD),
            "chunks and Connection: close": (NDJSON + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (len(self.HELD), self.HELD)),
            "a line in many chunks": (NDJSON + "Transfer-Encoding: chunked\r\n\r\n", b"".join(b"1\r\n%c\r\n" % byte for byte in self.HELD)),
            "HTTP/1.0": (NDJSON.replace("1.1", "1.0") + "\r\n", self.HELD),
        }
        for title, parts in framings.items():
            with self.subTest(title):

                def answer(request: Request, parts: Tuple[Any, ...] = parts) -> None:
                    if request.method == "DELETE":
                        request.json(200, lease(ended={"reason": "released"}))
                        return
                    request.send(*parts)
                    request.wait_for_the_end()

                with StandIn(answer) as server, UpdateLock(server.url).hold("recorder") as held:
                    self.assertEqual(held.document["id"], "id-1")
                    self.assertFalse(held.lost.is_set())

    def test_an_answer_that_is_no_lease_is_an_error_at_once_although_it_waits_without_a_limit(self) -> None:
        answers = {
            "another name": lambda request: request.begin_hold(lease("other")),
            "no id and no since": lambda request: request.begin_hold({"name": "recorder"}),
            "an id that is no text": lambda request: request.begin_hold(lease(id=7)),
            "an id that would break a header": lambda request: request.begin_hold(lease(id='"\r\nX: y')),
            "no object": lambda request: request.begin_hold([]),
            "another document": lambda request: request.json(200, {}),
            "a web page": say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"),
            "nothing": say("HTTP/1.1 204 No Content\r\n\r\n"),
        }
        for title, answer in answers.items():
            with self.subTest(title), StandIn(answer) as server:
                with self.assertRaisesRegex(UpdateLockError, "is this the sidecar"):
                    UpdateLock(server.url).hold("recorder")

    def test_what_may_pass_is_tried_again(self) -> None:
        answers: List[Answer] = [
            say("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"),
            say("HTTP/1.1 412 X\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"),
            say(""),
            say("HTTP/1.1 200"),
            say(NDJSON + "\r\n"),
            say(NDJSON + "\r\n", self.HELD[:20]),
            lambda request: request.problem(503, "cannot-lock"),
        ]
        with StandIn(by_turns(*answers, hold)) as server, UpdateLock(server.url).hold("recorder"):
            self.assertEqual(len(server.requests), len(answers) + 1)


class Watching(unittest.TestCase):
    """A loss is told, whatever comes on a connection that holds a lease."""

    LINES = {
        "deeply nested": DEEP + b"\n",
        "a line without an end": b"x" * 3_000_000,
        "no JSON": b"\xff\xfe\n",
        "no object": b"[]\n",
        "digits without an end": b"9" * 100_000 + b"\n",
        "an end": b"",
    }

    def test_the_lease_is_taken_up_again_after_a_line_that_means_nothing(self) -> None:
        for title, line in self.LINES.items():
            with self.subTest(title):

                def break_off(request: Request, line: bytes = line) -> None:
                    request.begin_hold(lease())
                    request.send(line)

                def refuse(request: Request) -> None:
                    request.problem(412, "precondition-failed", ended={"reason": "lost"})

                with StandIn(by_turns(break_off, hold, refuse)) as server:
                    held = UpdateLock(server.url).hold("recorder")
                    again = server.wait_for(2)[1]
                    self.assertEqual((again.path, again.headers["if-match"]), ("/v1/leases/recorder/hold", '"id-1"'))
                    self.assertFalse(held.lost.is_set())
                    again.connection.shutdown(socket.SHUT_RDWR)
                    self.assertTrue(held.lost.wait(60))
                    with self.assertRaises(LockLost) as caught:
                        held.check()
                    self.assertEqual(caught.exception.code, "lost")

    def test_an_end_is_an_end_even_if_it_says_nothing_of_the_lease(self) -> None:
        for end in ({}, {"lease": None}, {"lease": {"ended": []}}, {"lease": {"ended": {"reason": 1e400}}}):
            with self.subTest(str(end)):

                def answer(request: Request, end: Any = end) -> None:
                    request.begin_hold(lease())
                    request.line({"event": "ended", **end})

                with StandIn(answer) as server:
                    self.assertTrue(UpdateLock(server.url).hold("recorder").lost.wait(60))
                    self.assertEqual(server.asked(), ["POST /v1/leases/recorder/hold"])

    def test_an_answer_with_an_odd_chunk_breaks_off(self) -> None:
        for size in ("-1", "-5", "f" * 40, "1" * 70_000, "x"):
            with self.subTest(size[:8]):

                def answer(request: Request, size: str = size) -> None:
                    request.send(NDJSON + "Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(Holding.HELD), Holding.HELD, "\r\n", size, "\r\n")

                with StandIn(by_turns(answer, hold)) as server:
                    held = UpdateLock(server.url).hold("recorder")
                    server.wait_for(2)
                    self.assertFalse(held.lost.is_set())

    def test_a_connection_that_trickles_is_dead_and_its_lease_is_taken_up_before_it_is_closed(self) -> None:
        ended = threading.Event()

        def first(request: Request) -> None:
            request.begin_hold(lease())
            try:
                trickle()(request)
            finally:
                ended.set()

        def second(request: Request) -> None:
            self.assertFalse(ended.is_set())
            hold(request)

        with hurry(_SILENCE=0.3), StandIn(by_turns(first, second)) as server:
            held = UpdateLock(server.url).hold("recorder")
            server.wait_for(2)
            self.assertTrue(ended.wait(60))
            self.assertFalse(held.lost.is_set())

    def test_nobody_believes_in_a_lock_whose_watcher_has_failed(self) -> None:
        with StandIn(hold) as server:
            held = UpdateLock(server.url).hold("recorder")
            held._stream._read = None  # type: ignore[assignment]
            server.requests[0].line({"event": "alive"})
            self.assertTrue(held.lost.wait(60))


class Asking(unittest.TestCase):
    def test_an_answer_is_a_lease_of_that_name_or_an_error(self) -> None:
        for document in ({}, {"lease": lease()}, lease("other"), lease(id=None), lease(id=""), {"name": "recorder"}, [], "x", None):
            with self.subTest(str(document)), StandIn(lambda request: request.json(200, document)) as server:
                lock = UpdateLock(server.url)
                for ask in (lambda: lock.acquire("recorder", wait=60), lambda: lock.renew("recorder"), lambda: lock.release("recorder")):
                    with self.assertRaisesRegex(UpdateLockError, "is this the sidecar"):
                        ask()

    def test_other_documents_are_looked_at_too(self) -> None:
        with StandIn(lambda request: request.json(200, {"leases": {}, "state": 7, "pending": 1})) as server:
            lock = UpdateLock(server.url)
            for ask in (lock.status, lock.leases, lambda: lock.wait_for_update()):
                with self.assertRaisesRegex(UpdateLockError, "is this the sidecar"):
                    ask()

    def test_problems_with_odd_members(self) -> None:
        for more in ({"ended": "x"}, {"ended": {"reason": []}}, {"ended": [1]}, {"holder": {}}, {"detail": None}, {"detail": 1e999}):
            for status in (401, 404, 409, 410, 412, 422, 423, 500, 503):
                with self.subTest(str(more), status=status), StandIn(lambda request: request.problem(status, "odd", **more)) as server:
                    with self.assertRaises(UpdateLockError):
                        UpdateLock(server.url).renew("recorder")

    def test_a_total_deadline(self) -> None:
        answers = {
            "silence": lambda request: request.wait_for_the_end(),
            "a head that trickles": trickle("HTTP/1.1 200 OK\r\nX: "),
            "a body that trickles": trickle(JSON + "\r\n"),
            "chunks that trickle": lambda request: [request.send(JSON, "Transfer-Encoding: chunked\r\n\r\n"), trickle("1000\r\n")(request)],
            "only interim answers": flood("", b"HTTP/1.1 100 Continue\r\n\r\n"),
            "trailers without an end": flood(JSON + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X: y\r\n"),
        }
        for title, answer in answers.items():
            # The size is bounded too, and must not be what ends these.
            with self.subTest(title), StandIn(answer) as server, hurry(_LONGEST_ANSWER=1 << 40):
                lock = UpdateLock(server.url)
                begun = time.monotonic()
                with self.assertRaises(Unreachable):
                    lock._ask("GET", "/v1/lock", timeout=0.5)
                self.assertLess(time.monotonic() - begun, 5)

    def test_bounded_memory(self) -> None:
        zeros = b"0" * 65536
        answers = {
            "a body without an end": flood(JSON + "\r\n", zeros),
            "chunks without an end": flood(JSON + "Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (len(zeros), zeros)),
            "a body of a terabyte": flood(JSON + "Content-Length: 1000000000000\r\n\r\n", zeros),
            "a body beyond all numbers": flood(JSON + "Content-Length: %s\r\n\r\n" % ("9" * 1000), zeros),
            "a chunk beyond all numbers": flood(JSON + "Transfer-Encoding: chunked\r\n\r\n%s\r\n" % ("f" * 100), zeros),
            "a head without an end": flood("HTTP/1.1 200 OK\r\n", b"X: " + zeros[:60000] + b"\r\n"),
            "a status line without an end": flood("HTTP/1.1 200 ", zeros),
            "interim answers without an end": flood("", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
            "a line without an end": flood(NDJSON + "\r\n", zeros),
        }
        before = peak_memory()
        for title, answer in answers.items():
            with self.subTest(title), StandIn(answer) as server:
                lock = UpdateLock(server.url)
                for ask in (lock.status, lambda: lock.hold("recorder", wait=0)):
                    with self.assertRaises(UpdateLockError):
                        ask()
        self.assertLess(peak_memory() - before, 100_000_000)

    def test_deeply_nested_and_odd_json(self) -> None:
        for text in (DEEP, DEEP + b"]" * len(DEEP), b'{"a":' * 100_000, b"\xff\xfe\x00", b"", b"NaN", b"9" * 100_000, b'"\\ud800"'):
            with self.subTest(text[:10]), StandIn(lambda request: request.json(200, text)) as server:
                with self.assertRaises(UpdateLockError):
                    UpdateLock(server.url).status()

    def test_noise_ends_in_an_error_of_this_module(self) -> None:
        seed = int(os.environ.get("SEED", random.randrange(2**32)))
        chance = random.Random(seed)
        pieces = [NDJSON.encode(), JSON.encode(), b"\r\n", b"\r\n\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Connection: close\r\n",
                  b"HTTP/1.1 ", b"HTTP/9.9 200\r\n", b"HTTP/1.1 100 \r\n", b"5\r\n", b"-1\r\n", b"{}", b"{", b"null", b"\x00\xff", b"Content-Type: multipart/x; boundary=a\r\n", b"--a\r\n", Holding.HELD]
        for turn in range(300):
            noise = b"".join(chance.choice(pieces) for _ in range(chance.randrange(12)))
            with self.subTest(seed=seed, turn=turn, noise=noise), StandIn(say(noise)) as server:
                lock = UpdateLock(server.url)
                for ask in (lock.status, lambda: lock.renew("recorder"), lambda: lock.hold("recorder", wait=0).release()):
                    try:
                        ask()
                    except UpdateLockError:
                        pass

    def test_numbers_beyond_all_bounds_are_no_durations(self) -> None:
        for duration in (1e300, float("inf"), float("nan"), 10**400, "9" * 400, "9" * 400 + "d", -1, "-1", True, None):
            with self.subTest(str(duration)[:10]), self.assertRaises(InvalidRequest):
                UpdateLock("http://127.0.0.1:1").acquire("recorder", wait=duration)  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
