"""Run by python.test.ts against a real sidecar: what AsyncUpdateLock adds to UpdateLock."""

import asyncio
import os
import sys
import unittest
from typing import Any, Awaitable, Callable, Coroutine, List

from stand_in import Request, StandIn, lease
from update_lock import AsyncUpdateLock, LockLost, LockUnavailable, UpdateLock, UpdateLockError

LOCK_FILE = os.environ["LOCK_FILE"]


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.01)


class AsyncTest(unittest.TestCase):
    def setUp(self) -> None:
        self.names: "Callable[[], List[str]]" = lambda: [each["name"] for each in UpdateLock().leases()]

    def run_async(self, test: Coroutine[Any, Any, None]) -> None:
        asyncio.run(asyncio.wait_for(test, 60))


class Holding(AsyncTest):
    def test_the_lock_is_held_for_the_block(self) -> None:
        async def test() -> None:
            async with AsyncUpdateLock().hold("recorder", reason="recording") as held:
                self.assertTrue(os.path.exists(LOCK_FILE))
                self.assertEqual((held.name, held.document["reason"]), ("recorder", "recording"))
                self.assertFalse(held.lost.is_set())
            self.assertFalse(os.path.exists(LOCK_FILE))

        self.run_async(test())

    def test_without_a_block_it_is_held_until_it_is_released(self) -> None:
        async def test() -> None:
            held = await AsyncUpdateLock().hold("recorder")
            self.assertEqual(self.names(), ["recorder"])
            await held.release()
            await held.release()
            self.assertEqual(self.names(), [])
            held.check()

        self.run_async(test())

    def test_the_error_of_the_block_comes_through_and_nothing_is_held(self) -> None:
        async def test() -> None:
            with self.assertRaises(ZeroDivisionError):
                async with AsyncUpdateLock().hold("recorder"):
                    1 / 0
            self.assertEqual(self.names(), [])

        self.run_async(test())

    def test_a_name_in_use_is_refused(self) -> None:
        async def test() -> None:
            async with AsyncUpdateLock().hold("recorder"):
                with self.assertRaises(LockUnavailable):
                    await AsyncUpdateLock().hold("recorder")

        self.run_async(test())

    def test_a_loss_wakes_whoever_waits_for_it_and_is_raised_on_leaving(self) -> None:
        async def test() -> None:
            with self.assertRaises(LockLost) as caught:
                async with AsyncUpdateLock().hold("recorder") as held:
                    waiting = asyncio.ensure_future(held.lost.wait())
                    await AsyncUpdateLock().release("recorder")
                    await waiting
            self.assertEqual(caught.exception.code, "released")

        self.run_async(test())

    def test_a_drain_is_told(self) -> None:
        def answer(request: Request) -> None:
            if request.method == "DELETE":
                return request.json(200, lease(ended={"reason": "released"}))
            request.begin_hold(lease())
            request.line({"event": "draining", "endsInSeconds": 60})
            request.wait_for_the_end()

        async def test(url: str) -> None:
            async with AsyncUpdateLock(url).hold("recorder") as held:
                await held.draining.wait()
                self.assertFalse(held.lost.is_set())

        with StandIn(answer) as server:
            self.run_async(test(server.url))


class Cancelling(AsyncTest):
    def test_in_the_block_it_gives_back_the_lock(self) -> None:
        async def test() -> None:
            started = asyncio.Event()

            async def work() -> None:
                async with AsyncUpdateLock().hold("recorder"):
                    started.set()
                    await asyncio.sleep(60)

            task = asyncio.ensure_future(work())
            await started.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual(self.names(), [])

        self.run_async(test())

    def test_while_it_waits_ends_the_wait(self) -> None:
        async def test() -> None:
            with open(LOCK_FILE, "w") as file:
                file.write("somebody")
            try:
                task = asyncio.ensure_future(AsyncUpdateLock().hold("recorder")._begin())
                # The loop goes on while it waits.
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(task, 0.3)
            finally:
                os.unlink(LOCK_FILE)
            self.assertTrue(task.cancelled())
            self.assertEqual((await AsyncUpdateLock().status())["state"], "free")

        self.run_async(test())

    def test_at_any_moment_leaves_nothing_held(self) -> None:
        async def test() -> None:
            for moment in range(40):
                task = asyncio.ensure_future(AsyncUpdateLock().hold()._begin())
                await asyncio.sleep(moment * 0.0005)
                task.cancel()
                try:
                    await (await task).release()
                except asyncio.CancelledError:
                    pass
            await until(lambda: self.names() == [])

        self.run_async(test())


class Asking(AsyncTest):
    def test_acquires_renews_and_releases(self) -> None:
        async def test() -> None:
            lock = AsyncUpdateLock()
            self.assertEqual((await lock.acquire("upload", ttl="10m"))["ttlSeconds"], 600)
            self.assertEqual((await lock.renew("upload", ttl=1200))["renewals"], 1)
            self.assertEqual([each["name"] for each in await lock.leases()], ["upload"])
            released = await lock.release("upload")
            self.assertEqual(released and released["ended"]["reason"], "released")
            self.assertEqual((await lock.history())[0]["event"], "released")

        self.run_async(test())

    def test_what_fails_is_raised(self) -> None:
        async def test() -> None:
            asks: List[Callable[[], Awaitable[Any]]] = [AsyncUpdateLock().wait_for_update, AsyncUpdateLock().request_update]
            for ask in asks:
                with self.assertRaises(UpdateLockError):
                    await ask()

        self.run_async(test())

    def test_events_come_until_the_loop_is_left(self) -> None:
        async def test() -> None:
            lock = AsyncUpdateLock()
            async for event in lock.events():
                if event["type"] == "update":
                    await lock.acquire("upload")
                if event["type"] == "lease":
                    self.assertEqual(event["data"]["name"], "upload")
                    break
            await lock.release("upload")

        self.run_async(test())

    def test_a_reader_of_events_can_be_cancelled(self) -> None:
        async def test() -> None:
            events = AsyncUpdateLock().events()
            await events.__anext__()
            with self.assertRaises(asyncio.TimeoutError):
                while True:
                    await asyncio.wait_for(events.__anext__(), 0.3)

        self.run_async(test())


class Importing(unittest.TestCase):
    def test_asyncio_is_loaded_only_if_it_is_used(self) -> None:
        import subprocess

        program = "import sys, update_lock; print('asyncio' in sys.modules)"
        self.assertEqual(subprocess.check_output([sys.executable, "-c", program]), b"False\n")


if __name__ == "__main__":
    unittest.main()
