"""Run by python.test.ts against a real sidecar, and against a stand-in: events, updates, and the types of what comes."""

import json
import unittest
from typing import Any

import update_lock
from stand_in import Request, StandIn
from test_hostile_server import by_turns, hurry
from update_lock import InvalidRequest, NotAllowed, Unreachable, UpdateLock, UpdateLockError


def event(number: int, kind: str = "update", data: Any = None) -> str:
    return "id: %d\nevent: %s\ndata: %s\n\n" % (number, kind, json.dumps(data or {"number": number}))


def stream(*parts: str) -> Any:
    """Sends these as server-sent events, and ends."""
    return lambda request: request.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", *parts)


class Events(unittest.TestCase):
    def test_first_comes_the_present_state_and_then_each_change(self) -> None:
        lock = UpdateLock()
        events = lock.events()
        first = next(events)
        self.assertEqual((first["type"], first["data"]["state"], first["data"]["snapshot"]), ("lock", "free", True))
        while next(events)["type"] != "update":
            pass
        granted = lock.acquire("upload")
        for seen in events:
            if seen["type"] == "lease":
                break
        self.assertEqual(seen["data"]["id"], granted["id"])
        lock.release("upload")
        # Another reader goes on from there.
        later = next(each for each in lock.events(last_event_id=seen["id"]) if each["type"] == "lease")
        self.assertEqual(later["data"]["ended"]["reason"], "released")
        events.close()

    def test_a_connection_that_breaks_is_replaced_by_one_that_continues(self) -> None:
        answers = by_turns(
            stream(": hello\n\n", event(1), event(2, "later-kind"), event(3), "id: 4\ndata: half"),
            stream(event(4), "data: {broken}\n\n"),
            lambda request: request.problem(503, "stopping"),
            stream(event(5), event(6)),
        )
        with StandIn(answers) as server:
            events = UpdateLock(server.url).events()
            self.assertEqual([next(events)["data"]["number"] for _ in range(5)], [1, 3, 4, 5, 6])
            events.close()
            self.assertEqual([request.headers.get("last-event-id") for request in server.requests], [None, "3", "4", "4"])

    def test_a_silent_connection_is_replaced(self) -> None:
        def silent(request: Request) -> None:
            stream(event(1))(request)
            request.wait_for_the_end()

        with StandIn(by_turns(silent, stream(event(2)))) as server, hurry(_SILENCE=0.2):
            events = UpdateLock(server.url).events()
            self.assertEqual([next(events)["id"], next(events)["id"]], ["1", "2"])
            events.close()

    def test_an_event_without_an_end_is_given_up(self) -> None:
        def endless(request: Request) -> None:
            stream()(request)
            try:
                while True:
                    request.send("data: %s\n" % ("x" * 1000))
            except OSError:
                pass

        with StandIn(by_turns(endless, stream(event(1)))) as server, hurry(_LONGEST_LINE=100_000):
            events = UpdateLock(server.url).events()
            self.assertEqual(next(events)["id"], "1")
            events.close()

    def test_what_is_refused_or_is_not_a_sidecar_is_raised(self) -> None:
        with StandIn(lambda request: request.problem(401, "unauthorized")) as server, self.assertRaises(NotAllowed):
            next(UpdateLock(server.url).events())
        with StandIn(lambda request: request.json(200, {"state": "free"})) as server, self.assertRaises(Unreachable):
            next(UpdateLock(server.url).events())
        with self.assertRaises(InvalidRequest):
            UpdateLock().events(last_event_id="1\r\nX: y")


class Updates(unittest.TestCase):
    UPDATE = {"supervisor": "reachable", "pending": True, "waiting": ["release"]}

    def test_an_update_is_asked_for_by_force_only_if_wanted(self) -> None:
        with StandIn(lambda request: request.json(202, self.UPDATE)) as server:
            lock = UpdateLock(server.url)
            self.assertEqual(lock.request_update()["waiting"], ["release"])
            lock.request_update(force=True)
            self.assertEqual([(each.method, each.path, each.body) for each in server.requests],
                             [("POST", "/v1/update", ""), ("POST", "/v1/update", "force=true")])

    def test_force_needs_the_admin_token_and_the_sidecar_a_supervisor(self) -> None:
        with self.assertRaises(NotAllowed):
            UpdateLock().request_update(force=True)
        with self.assertRaises(UpdateLockError) as caught:
            UpdateLock().request_update()
        self.assertEqual(caught.exception.code, "supervisor-unavailable")


class Types(unittest.TestCase):
    """What the sidecar sends has the fields that the types say."""

    def test_leases_lock_and_history(self) -> None:
        lock = UpdateLock()
        granted = lock.acquire("upload")
        self.assertEqual(set(granted), set(update_lock.Lease.__annotations__))
        status = lock.status()
        self.assertEqual(set(status), set(update_lock.LockStatus.__annotations__))
        self.assertEqual(set(status["paths"][0]), set(update_lock.LockPath.__annotations__))
        self.assertEqual(set(lock.release("upload") or ()), set(update_lock.EndedLease.__annotations__))
        self.assertEqual(set(lock.history()[0]), set(update_lock.HistoryEntry.__annotations__))

    def test_updates_and_events(self) -> None:
        for seen in UpdateLock().events():
            self.assertEqual(set(seen), set(update_lock.LockEvent.__annotations__))
            if seen["type"] == "update":
                self.assertEqual(set(seen["data"]), set(update_lock.Update.__annotations__))
                break


if __name__ == "__main__":
    unittest.main()
