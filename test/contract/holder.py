"""Holds the lock until its input ends, and reports how that went; see client-driver.ts."""

import json
import os
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../client/python"))
sys.dont_write_bytecode = True
from update_lock import InvalidRequest, LockLost, LockUnavailable, NotAllowed, Unreachable, UpdateLock, UpdateLockError

KINDS = {LockUnavailable: "refused", LockLost: "lost", Unreachable: "unreachable", InvalidRequest: "invalid", NotAllowed: "not-allowed"}

name, wait = sys.argv[1:]
try:
    with UpdateLock().hold(name, reason=os.environ["HOLD_REASON"], wait=None if wait == "forever" else float(wait)) as lease:
        print("started", flush=True)
        while not lease.lost.wait(0.02) and not (select.select([sys.stdin], [], [], 0)[0] and not sys.stdin.buffer.read1()):
            pass
    report = {"kind": "held"}
except UpdateLockError as error:
    report = {"kind": KINDS[type(error)], "code": error.code, "told": str(error)}
print(json.dumps(report))
