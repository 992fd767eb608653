"""A reader of the lock, which keeps trying to get past it until its input ends: reader.py supervisor|host PAUSE_SECONDS PATH...

Prints a line for each time that it did, in milliseconds of the monotonic clock:
"passed FROM TO": at some instant in between the lock was not there; "taken FROM TO": all that time this reader had it.
A line "force SECONDS" on its input makes the Supervisor force an update that takes so long: "forced FROM TO", then "taken FROM TO" or, if somebody
else took the lock in the middle, "failed FROM TO".
"""

import fcntl
import os
import select
import subprocess
import sys
import time

who, pause, paths = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
NOBODY = 65534


def now():
    return time.monotonic_ns() / 1e6


def say(what, began, ended):
    print("%s %.3f %.3f" % (what, began, ended), flush=True)


def locks(path):
    """As nobody, by procmail's lockfile, which is what the Supervisor runs."""
    return subprocess.run(["lockfile", "-r", "0", path], user=NOBODY, group=NOBODY, extra_groups=[], stderr=subprocess.DEVNULL).returncode == 0


def supervisor_tries(path):
    began = now()
    if locks(path):
        got = now()
        say("passed", began, got)
        say("taken", got, now())
        os.unlink(path)


def supervisor_forces(seconds):
    began = now()
    taken = []
    for path in paths:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        if locks(path):
            taken.append(path)
    got = now()
    say("forced", began, got)
    time.sleep(seconds)
    if taken == paths:
        say("taken", got, now())
    else:
        say("failed", began, got)
    for path in taken:
        os.unlink(path)


def host_tries(path):
    """As `flock -nx` does, by the same system calls, so that it can be tried more often than processes can be started."""
    began = now()
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        say("passed", began, now())
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        say("passed", began, now())
    except BlockingIOError:
        pass
    finally:
        os.close(fd)


tries = 0
while True:
    if select.select([sys.stdin], [], [], pause)[0]:
        line = sys.stdin.readline()
        if line == "":
            break
        supervisor_forces(float(line.split()[1]))
    for path in paths:
        (supervisor_tries if who == "supervisor" else host_tries)(path)
        tries += 1
print("tried", tries, flush=True)
