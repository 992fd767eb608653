"""Holds the lock until its input ends, with UpdateLock or AsyncUpdateLock, and reports how that went; see client-driver.ts."""

import asyncio
import json
import os
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../client/python"))
sys.dont_write_bytecode = True
from update_lock import AsyncUpdateLock, InvalidRequest, LockLost, LockUnavailable, NotAllowed, Unreachable, UpdateLock, UpdateLockError

KINDS = {LockUnavailable: "refused", LockLost: "lost", Unreachable: "unreachable", InvalidRequest: "invalid", NotAllowed: "not-allowed"}


def hold(name, **options):
    with UpdateLock().hold(name, **options) as lease:
        print("started", flush=True)
        while not lease.lost.wait(0.02) and not (select.select([sys.stdin], [], [], 0)[0] and not sys.stdin.buffer.read1()):
            pass


async def hold_async(name, **options):
    async with AsyncUpdateLock().hold(name, **options) as lease:
        print("started", flush=True)
        is_told = asyncio.Event()
        # Nothing is written to the input, so it can be read once it has ended.
        asyncio.get_running_loop().add_reader(sys.stdin, is_told.set)
        tasks = [asyncio.ensure_future(event.wait()) for event in (lease.lost, is_told)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


*client, name, wait = sys.argv[1:]
options = {"reason": os.environ["HOLD_REASON"], "wait": None if wait == "forever" else float(wait)}
try:
    if client == ["asyncio"]:
        asyncio.run(hold_async(name, **options))
    else:
        hold(name, **options)
    report = {"kind": "held"}
except UpdateLockError as error:
    report = {"kind": KINDS[type(error)], "code": error.code, "told": str(error)}
print(json.dumps(report))
