"""Run by python.test.ts: a lease is known by its id, and only that very lease is taken up, renewed and released."""

import threading
import time
import unittest
from typing import Any, Callable, List, Tuple

from stand_in import Answer, Request, StandIn, lease
from test_hostile_server import by_turns, hold, hurry
from update_lock import HeldLease, LockLost, UpdateLock

OLD = {"name": "recorder", "kind": "connection", "since": "2026-11-26T10:00:00.000Z"}
HOLD = "POST /v1/leases/recorder/hold"
DELETE = "DELETE /v1/leases/recorder"


def hold_as(document: Any) -> Answer:
    def answer(request: Request) -> None:
        request.begin_hold(document)
        request.wait_for_the_end()

    return answer


def break_off(document: Any) -> Answer:
    """Grants the lease, and ends the connection."""
    return lambda request: request.begin_hold(document)


def problem(status: int, code: str, **more: Any) -> Answer:
    return lambda request: request.problem(status, code, **more)


def html(status: int) -> Answer:
    return lambda request: request.json(status, b"<html>", "text/html")


def drop(request: Request) -> None:
    pass


def holding_and(delete: Answer, document: Any = None) -> Answer:
    hold_it = hold_as(lease() if document is None else document)
    return lambda request: (delete if request.method == "DELETE" else hold_it)(request)


def released(request: Request) -> None:
    request.json(200, lease(ended={"reason": "released"}))


class Releasing(unittest.TestCase):
    def test_it_names_the_lease_and_returns_once_the_sidecar_has_answered(self) -> None:
        answered = threading.Event()

        def delete(request: Request) -> None:
            self.assertEqual(request.headers["if-match"], '"id-1"')
            # As long as others may take to see a release that returns too early.
            time.sleep(0.3)
            answered.set()
            released(request)

        with StandIn(holding_and(delete)) as server:
            with UpdateLock(server.url).hold("recorder"):
                pass
            self.assertTrue(answered.is_set())

    def test_a_lease_that_had_ended_before_is_lost_and_that_is_told_on_leaving(self) -> None:
        answers: List[Tuple[str, Answer]] = [
            ("lost", lambda request: request.send("HTTP/1.1 204 No Content\r\n\r\n")),
            ("lease-not-found", problem(412, "precondition-failed", holder="recorder")),
            ("drained", problem(412, "precondition-failed", ended={"reason": "drained"})),
        ]
        for code, delete in answers:
            with self.subTest(code), StandIn(holding_and(delete)) as server:
                with self.assertRaises(LockLost) as caught:
                    with UpdateLock(server.url).hold("recorder"):
                        pass
                self.assertEqual(caught.exception.code, code)

    def test_how_it_ended_is_told_even_if_that_comes_while_it_is_released(self) -> None:
        def answer(request: Request) -> None:
            if request.method == "DELETE":
                # In this order: the release ends the connection on which the line comes.
                server.requests[0].line({"event": "ended", "lease": lease(ended={"reason": "drained"})})
                request.send("HTTP/1.1 204 No Content\r\n\r\n")
            else:
                hold(request)

        with StandIn(answer) as server, self.assertRaises(LockLost) as caught:
            with UpdateLock(server.url).hold("recorder"):
                pass
        self.assertEqual(caught.exception.code, "drained")

    def test_an_attempt_without_an_answer_may_be_the_one_that_has_released_it(self) -> None:
        gone: List[Answer] = [lambda request: request.send("HTTP/1.1 204 No Content\r\n\r\n"), problem(412, "precondition-failed", ended={"reason": "released"})]
        for second in gone:
            with StandIn(holding_and(by_turns(drop, second))) as server:
                with UpdateLock(server.url).hold("recorder"):
                    pass
                self.assertEqual(server.asked(), [HOLD, DELETE, DELETE])

    def test_two_threads_may_release_it_and_both_return_once_it_is_given_back(self) -> None:
        answered = threading.Event()

        def delete(request: Request) -> None:
            time.sleep(0.3)
            answered.set()
            released(request)

        with StandIn(holding_and(delete)) as server:
            held = UpdateLock(server.url).hold("recorder")
            seen: List[bool] = []
            threads = [threading.Thread(target=lambda: (held.release(), seen.append(answered.is_set()))) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual((seen, server.asked()), ([True, True], [HOLD, DELETE]))

    def test_a_sidecar_that_does_not_answer_delays_it_only_for_a_while(self) -> None:
        with hurry(_GOODBYE_TIMEOUT=0.3), StandIn(holding_and(lambda request: time.sleep(10))) as server:
            held = UpdateLock(server.url).hold("recorder")
            begun = time.monotonic()
            held.release()
            self.assertLess(time.monotonic() - begun, 5)
            self.assertFalse(held.lost.is_set())

    def test_an_older_sidecar_is_not_asked_to_release_by_name_but_sees_the_connection_end(self) -> None:
        has_ended = threading.Event()

        def answer(request: Request) -> None:
            hold_as(OLD)(request)
            time.sleep(0.3)
            has_ended.set()

        with StandIn(answer) as server:
            with UpdateLock(server.url).hold("recorder"):
                pass
            self.assertTrue(has_ended.is_set())
            self.assertEqual(server.asked(), [HOLD])


class TakingUp(unittest.TestCase):
    def assert_goes_on(self, *answers: Answer) -> StandIn:
        """The last answer is the one that holds it."""
        with hurry(_LONGEST_PAUSE=0.05), StandIn(by_turns(*answers)) as server:
            held = UpdateLock(server.url).hold("recorder")
            server.wait_for(len(answers))
            self.assertFalse(held.lost.wait(0.1))
            self.assertEqual(len(server.requests), len(answers))
        return server

    def assert_is_lost(self, code: str, *answers: Answer) -> HeldLease:
        with hurry(_LONGEST_PAUSE=0.05), StandIn(by_turns(*answers)) as server:
            held = UpdateLock(server.url).hold("recorder")
            self.assertTrue(held.lost.wait(60))
            with self.assertRaises(LockLost) as caught:
                held.check()
            self.assertEqual((caught.exception.code, len(server.requests)), (code, len(answers)))
        return held

    def test_it_goes_on_under_its_id_although_the_clock_was_set(self) -> None:
        server = self.assert_goes_on(break_off(lease()), hold_as(lease(since="1970-01-01T00:00:00.000Z")))
        self.assertEqual([request.headers.get("if-match") for request in server.requests], [None, '"id-1"'])

    def test_whatever_does_not_say_that_it_has_ended_is_tried_again(self) -> None:
        odd: List[Answer] = [
            drop,
            html(502),
            html(412),
            html(200),
            problem(503, "cannot-lock"),
            problem(503, "stopping"),
            problem(423, "cooldown"),
            problem(409, "name-in-use"),
            problem(401, "unauthorized"),
            problem(500, "internal"),
            lambda request: request.json(412, {"code": "precondition-failed"}),
            lambda request: request.json(200, {}),
            hold_as(lease("other")),
            lambda request: request.send("\x00" * 100),
        ]
        self.assert_goes_on(break_off(lease()), *odd, hold)

    def test_only_a_412_of_the_sidecar_says_that_it_is_lost(self) -> None:
        self.assert_is_lost("drained", break_off(lease()), problem(412, "precondition-failed", ended={"reason": "drained"}))
        self.assert_is_lost("lease-not-found", break_off(lease()), problem(412, "precondition-failed"))

    def test_another_lease_of_its_name_is_not_it_although_it_is_as_old(self) -> None:
        self.assert_is_lost("lost", break_off(lease()), hold_as(lease(id="id-2")))

    def test_a_sidecar_that_does_not_come_back_is_unreachable_after_the_grace(self) -> None:
        with hurry(_GRACE=0.5):
            begun = time.monotonic()
            with StandIn(by_turns(break_off(lease()), drop)) as server:
                held = UpdateLock(server.url).hold("recorder")
                self.assertTrue(held.lost.wait(60))
            self.assertGreaterEqual(time.monotonic() - begun, 0.5)
            with self.assertRaises(LockLost) as caught:
                held.check()
            self.assertEqual(caught.exception.code, "unreachable")

    def test_a_request_to_take_it_up_is_not_given_up_while_the_lease_may_live(self) -> None:
        """The sidecar would read it later, and end the lease with its connection, also if that has been taken up since."""

        def slow(request: Request) -> None:
            time.sleep(1.5)
            hold(request)

        with hurry(_ANSWER_TIMEOUT=0.3):
            self.assert_goes_on(break_off(lease()), slow)

    def test_with_an_older_sidecar_it_is_known_by_when_it_was_granted(self) -> None:
        self.assert_goes_on(break_off(OLD), hold_as(OLD))
        self.assert_is_lost("lost", break_off(OLD), hold_as({**OLD, "since": "2026-11-26T10:00:01.000Z"}))
        for code in ("cooldown", "updating", "foreign-lock", "draining"):
            self.assert_is_lost(code, break_off(OLD), problem(423, code))

    def test_it_outlives_an_update_of_the_sidecar_to_one_with_ids_and_back(self) -> None:
        server = self.assert_goes_on(break_off(OLD), break_off(lease()), break_off(OLD), hold)
        self.assertEqual([request.headers.get("if-match") for request in server.requests], [None, None, '"id-1"', None])


class ByName(unittest.TestCase):
    """Leases with an end: an UpdateLock knows those that it has acquired."""

    def headers_of(self, use: Callable[[UpdateLock], Any], document: Any) -> List[Any]:
        with StandIn(lambda request: request.json(200, document)) as server:
            use(UpdateLock(server.url))
            return [request.headers.get("if-match") for request in server.requests]

    def test_renews_and_releases_only_what_it_has_acquired(self) -> None:
        def use(lock: UpdateLock) -> None:
            lock.acquire("recorder")
            lock.renew("recorder")
            lock.release("recorder")
            lock.release("recorder")

        self.assertEqual(self.headers_of(use, lease()), [None, '"id-1"', '"id-1"', None])
        self.assertEqual(self.headers_of(use, OLD), [None, "*", None, None])

    def test_a_lease_that_is_anothers_by_now_is_neither_renewed_nor_released(self) -> None:
        with StandIn(by_turns(lambda request: request.json(200, lease()), problem(412, "precondition-failed", ended={"reason": "expired"}))) as server:
            lock = UpdateLock(server.url)
            lock.acquire("recorder")
            with self.assertRaises(LockLost) as caught:
                lock.renew("recorder")
            self.assertEqual(caught.exception.code, "expired")
            self.assertIsNone(lock.release("recorder"))

    def test_it_remembers_a_bounded_number_of_ids(self) -> None:
        def answer(request: Request) -> None:
            request.json(200, lease(request.path.rsplit("/", 1)[1]))

        with hurry(_MOST_IDS=2), StandIn(answer) as server:
            lock = UpdateLock(server.url)
            for name in ("a", "b", "a", "c"):
                lock.acquire(name)
            for name in ("a", "b", "c"):
                lock.release(name)
            self.assertEqual([request.headers.get("if-match") for request in server.requests[4:]], ['"id-1"', None, '"id-1"'])


if __name__ == "__main__":
    unittest.main()
