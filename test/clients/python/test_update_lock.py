"""Run by python.test.ts against a real sidecar: UPDATE_LOCK_URL, and LOCK_FILE for what is seen from outside."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
import warnings
from types import FrameType
from typing import Any, Callable, Iterator, List, Optional

import update_lock
from update_lock import InvalidRequest, LockLost, LockUnavailable, Unreachable, UpdateLock, UpdateLockError

LOCK_FILE = os.environ["LOCK_FILE"]


def is_held() -> bool:
    return os.path.exists(LOCK_FILE)


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name, "") for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.update(before)


@contextlib.contextmanager
def interrupted_at(line: int) -> Iterator[None]:
    """Interrupts, as Ctrl-C does, before the nth line of the client. No chance is in it."""
    lines_left = line

    def trace(frame: FrameType, event: str, _: Any) -> Optional[Callable[..., Any]]:
        nonlocal lines_left
        if frame.f_code.co_filename != update_lock.__file__:
            return None
        lines_left -= event == "line"
        if lines_left == 0:
            raise KeyboardInterrupt("line %d" % frame.f_lineno)
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


def watchers() -> List[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("update-lock") and thread.is_alive()]


class Holding(unittest.TestCase):
    def setUp(self) -> None:
        self.lock = UpdateLock()

    def test_holds_for_the_block_and_gives_back_at_its_end(self) -> None:
        with self.lock.hold("recorder", reason='"a" & \\ \u00fc') as lease:
            self.assertTrue(is_held())
            self.assertEqual([each["name"] for each in self.lock.leases()], ["recorder"])
            self.assertEqual(self.lock.leases()[0]["reason"], '"a" & \\ \u00fc')
            self.assertFalse(lease.lost.is_set())
        self.assertFalse(is_held())
        self.assertFalse(lease.lost.is_set())

    def test_two_of_one_process_have_different_names(self) -> None:
        with self.lock.hold() as one, self.lock.hold() as other:
            self.assertNotEqual(one.name, other.name)
            self.assertEqual(len(self.lock.leases()), 2)

    def test_a_name_in_use_is_refused_at_once_although_it_waits_without_a_limit(self) -> None:
        with self.lock.hold("recorder"):
            with self.assertRaises(LockUnavailable) as caught:
                self.lock.hold("recorder")
        self.assertEqual((caught.exception.code, caught.exception.holder), ("name-in-use", "recorder"))

    def test_the_blocks_own_error_comes_through_and_nothing_is_held(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            with self.lock.hold("recorder"):
                1 / 0
        self.assertFalse(is_held())

    def test_a_loss_is_raised_on_leaving(self) -> None:
        with self.assertRaises(LockLost) as caught:
            with self.lock.hold("recorder") as lease:
                self.lock.release("recorder")
                self.assertTrue(lease.lost.wait(60))
        self.assertEqual(caught.exception.code, "released")

    def test_a_loss_does_not_hide_the_blocks_own_error(self) -> None:
        with self.assertRaises(ZeroDivisionError) as caught:
            with self.lock.hold("recorder") as lease:
                self.lock.release("recorder")
                self.assertTrue(lease.lost.wait(60))
                1 / 0
        self.assertIsInstance(caught.exception.__context__, LockLost)

    def test_an_interrupt_while_waiting_leaves_nothing_held(self) -> None:
        os.close(os.open(LOCK_FILE, os.O_CREAT | os.O_EXCL))
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            self.lock.hold("recorder")
        os.unlink(LOCK_FILE)
        with self.lock.hold("afterwards", wait=60):
            self.assertEqual([each["name"] for each in self.lock.leases()], ["afterwards"])

    def test_the_end_of_the_interpreter_is_not_delayed_and_ends_the_lease(self) -> None:
        program = "from update_lock import UpdateLock; lease = UpdateLock().hold('exiting'); print(lease.name)"
        self.assertEqual(subprocess.check_output([sys.executable, "-c", program], timeout=60), b"exiting\n")
        self.lock.acquire("exiting", wait=60)
        self.lock.release("exiting")

    def test_a_fork_holds_nothing_and_releases_nothing(self) -> None:
        with self.lock.hold("parent") as lease:
            with warnings.catch_warnings():
                # Of a fork beside threads, from Python 3.12 on.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                lease.release()
                os._exit(0)
            os.waitpid(child, 0)
            self.assertEqual([each["name"] for each in self.lock.leases()], ["parent"])
            self.assertFalse(lease.lost.wait(0.1))

    def test_a_silent_connection_is_replaced_by_one_that_holds_the_same_lease(self) -> None:
        silence, update_lock._SILENCE = update_lock._SILENCE, 0.3
        try:
            with self.lock.hold("quiet") as lease:
                granted, first = lease.document["id"], lease._stream
                deadline = time.monotonic() + 60
                while lease._stream is first and time.monotonic() < deadline:
                    time.sleep(0.01)
                self.assertIsNot(lease._stream, first)
                self.assertEqual([each["id"] for each in self.lock.leases()], [granted])
        finally:
            update_lock._SILENCE = silence
        self.assertFalse(is_held())

    def test_it_is_given_back_by_the_time_release_returns(self) -> None:
        for _ in range(50):
            lease = self.lock.hold("recorder")
            lease.release()
            self.assertFalse(is_held())
            self.assertFalse(lease._thread.is_alive())
            lease.check()

    def test_a_holder_that_was_stopped_for_a_while_does_not_release_anothers_lease_of_its_name(self) -> None:
        program = "import sys; from update_lock import UpdateLock\nwith UpdateLock().hold('recorder'): print(flush=True); sys.stdin.read()"
        for _ in range(5):
            with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
                self.assertEqual(holder.stdout.readline(), b"\n")
                holder.send_signal(signal.SIGSTOP)
                os.waitpid(holder.pid, os.WUNTRACED)
                self.lock.release("recorder")
                others = self.lock.acquire("recorder")
                holder.stdin.close()
                holder.send_signal(signal.SIGCONT)
                # It learns that it was not protected until its end.
                self.assertIn(b"LockLost", holder.stderr.read())
            self.assertEqual([each["id"] for each in self.lock.leases()], [others["id"]])
            self.lock.release("recorder")

    def test_an_interrupt_at_any_line_of_holding_and_releasing_leaves_nothing_held(self) -> None:
        line, place = 0, ""
        while place is not None:
            line += 1
            held, place = None, None
            try:
                with interrupted_at(line):
                    held = self.lock.hold("recorder", wait=60)
                    held.release()
            except KeyboardInterrupt as interrupt:
                place = str(interrupt)
            if held is not None:
                # A release that was interrupted before it did anything is asked for again.
                held.release()
            deadline = time.monotonic() + 20
            while (self.lock.leases() or watchers()) and time.monotonic() < deadline:
                time.sleep(0.001)
            self.assertEqual((self.lock.leases(), watchers()), ([], []), "interrupted at %s" % place)
        self.assertGreater(line, 100)

    def test_children_forked_at_any_moment_do_not_keep_up_a_connection(self) -> None:
        program = """if True:
            import os, signal, sys, threading
            from update_lock import UpdateLock
            def hold_many():
                for _ in range(50):
                    UpdateLock().hold()
            thread = threading.Thread(target=hold_many)
            thread.start()
            for _ in range(200):
                if thread.is_alive() and os.fork() == 0:
                    # It outlives its parent.
                    sys.stdin.read()
                    os._exit(0)
            thread.join()
            os.kill(os.getpid(), signal.SIGKILL)"""
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as parent:
            self.assertEqual(parent.wait(60), -signal.SIGKILL)
            deadline = time.monotonic() + 10
            while self.lock.leases() and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(self.lock.leases(), [])


class Asking(unittest.TestCase):
    def setUp(self) -> None:
        self.lock = UpdateLock()

    def test_acquires_renews_and_releases(self) -> None:
        self.assertEqual(self.lock.acquire("upload", ttl="10m")["ttlSeconds"], 600)
        self.assertEqual(self.lock.renew("upload", ttl=1200)["renewals"], 1)
        self.assertEqual(self.lock.status()["state"], "held")
        released = self.lock.release("upload")
        self.assertEqual(released and released["ended"]["reason"], "released")
        self.assertIsNone(self.lock.release("upload"))
        with self.assertRaises(LockLost) as caught:
            self.lock.renew("upload")
        self.assertEqual(caught.exception.code, "released")

    def test_cannot_wait_for_an_update_of_which_the_sidecar_cannot_know(self) -> None:
        for timeout in (None, 0, "1h"):
            with self.assertRaises(UpdateLockError) as caught:
                self.lock.wait_for_update(timeout)
            self.assertEqual(caught.exception.code, "not-configured")

    def test_wrong_requests(self) -> None:
        for ask in (
            lambda: self.lock.hold("no such/name?"),
            lambda: self.lock.hold("@start"),
            lambda: self.lock.hold(wait="soon"),
            lambda: self.lock.acquire("upload", ttl="1m1h"),
            lambda: self.lock.acquire("upload", ttl="2d"),
            lambda: UpdateLock(token="two\nlines"),
        ):
            with self.assertRaises(InvalidRequest) as caught:
                ask()
            self.assertEqual(caught.exception.code, "invalid")

    def test_durations_are_quoted_as_given(self) -> None:
        with self.assertRaisesRegex(InvalidRequest, '^ttl: "48h" is too long'):
            self.lock.acquire("upload", ttl="48h")

    def test_wrong_addresses(self) -> None:
        for url in ("ftp://x", "localhost:8080", "http://localhost:8080/v1", "http://localhost:8080?x", "unix:x.sock"):
            why = ": %r is not the address of a sidecar; allowed are http://HOST:PORT, https://HOST:PORT and unix:/PATH" % url
            with self.assertRaisesRegex(InvalidRequest, "^url" + re.escape(why)):
                UpdateLock(url)
            with environment(UPDATE_LOCK_URL=url), self.assertRaisesRegex(InvalidRequest, "^UPDATE_LOCK_URL" + re.escape(why)):
                UpdateLock()

    def test_nobody_there(self) -> None:
        for url in ("unix:/nonexistent/socket", "http://127.0.0.1:1", "http://127.0.0.1:1/"):
            with self.assertRaises(Unreachable) as caught:
                UpdateLock(url).status()
            self.assertNotIn("elsewhere", str(caught.exception))
        # Its default address is of no host here.
        with environment(UPDATE_LOCK_URL=""), self.assertRaisesRegex(Unreachable, "; if it is elsewhere, set UPDATE_LOCK_URL or the argument url$"):
            UpdateLock().status()

    def test_durations(self) -> None:
        for text, seconds in (("90", 90), ("1.5s", 1.5), ("500ms", 0.5), ("1h30m", 5400), ("1d", 86400), (7, 7)):
            self.assertEqual(update_lock._seconds(text), seconds)


if __name__ == "__main__":
    unittest.main()
