// The meaning of fields of which the OpenAPI document has only the type.

export const MEANINGS = {
  'Lease.name': 'The name of the holder.',
  'Lease.reason': 'Why the lock is held; empty if no reason was given.',
  'Lease.kind': '`timed`: for a time. `connection`: while a connection is open. `builtin`: the sidecar\'s own.',
  'Lease.since': 'When it was acquired; a renewal does not change it.',
  'Lease.expires': 'When it ends unless it is renewed; null if it has no set end.',
  'Lease.ttlSeconds': 'The time to live of the last request.',
  'Lease.remainingSeconds': 'How much of that time is left, or was left when the lease ended.',
  'Lease.renewals': 'How many times it was renewed.',
  'Lease.peer': 'Who asked for it: "unix" for the socket, an address, or "sidecar".',
  'EndedLease.ended': 'How it ended, and when.',
  'LeaseEnd.reason': '`lost`: the lock was taken away. `drained`: an update had waited until its deadline. `disconnected`: its connection was closed. `stopped`: the sidecar stopped, with `UPDATE_LOCK_ON_STOP=release`.',
  'LeaseEnd.at': 'When it ended.',
  'LeaseList.leases': 'The live leases, oldest first.',
  'Lock.state': '`held`: at least one lease is live. `free`: nobody has the lock. `updating`: the Supervisor or Helios has the lock, or an update that is being applied may need it again. `foreign`: somebody else\'s file has its name, or Helios has left a stale file. `cooldown`: the lock was just lost, and nobody has it yet. `unavailable`: the lock cannot be taken.',
  'Lock.since': 'Since when the lock is held; null while it is not.',
  'Lock.expires': 'When the last lease ends, unless one is renewed or acquired; null while the lock is not held, or if a lease has no set end.',
  'Lock.flock': 'Whether `flock(2)` is held, which is what stops reboots of the host OS.',
  'Lock.paths': 'The lock files.',
  'LockPath.path': 'The path of the file.',
  'LockPath.state': 'Whose file has this name now.',
  'Window.timezone': 'The time zone of windows and freezes, by its IANA name.',
  'Lock.leases': 'The live leases, oldest first.',
  'Lock.update': 'What waits for the lock, as far as the Supervisor has said; null if it has not said so lately.',
  'History.events': 'The events, newest first.',
  'History.events[].at': 'When it happened.',
  'History.events[].event': 'The kind of event. If a lease has ended: how.',
  'Event.id': 'The id of the event, for `Last-Event-ID`.',
  'Event.data': 'The lock, lease, update or turn as it is now.',
  'LockEvent.snapshot': 'The present state follows: forget the leases that you knew.',
  'LockEvent.missed': 'With `snapshot`: you have missed events that are no longer kept.',
  'Update.supervisor': 'Whether the Supervisor answers. `not-configured`: the sidecar has no address and key of its API.',
  'Update.downloaded': 'The Supervisor has downloaded an image for it.',
  'Update.downloading': 'The images of a release are being downloaded.',
  'Update.draining': 'The deadline has passed: apps get no leases until the update has come.',
  'Override.updates': '`allow`: updates are allowed, also outside of windows. `hold`: updates are held back.',
  'Override.reason': 'Why; empty if no reason was given.',
  'Override.since': 'When it was set.',
  'HoldLine.lease': 'The lease of this hold.',
  'HoldLine.update': 'What waits for the lock. Sent when an update begins to wait, and when it no longer waits.',
  'HoldLine.endsInSeconds': 'In how many seconds the lease will be ended for an update.',
  'HoldLine.reason': 'Why the lease will be ended.',
  'Readiness.ready': 'Whether all checks are ok.',
  'Readiness.checks': 'The checks that were made.',
  'Readiness.checks[].name': 'The name of the check.',
  'Readiness.checks[].ok': 'Whether the check passed.',
  'Readiness.checks[].detail': 'What the check found.',
  'Health.status': 'Always `ok`.',
  'Problem.type': '`urn:update-lock:` and the code.',
  'Problem.title': 'The kind of problem, in words.',
  'Problem.status': 'The status of the answer.',
  'Problem.detail': 'What is wrong with this request, and what would be right.',
  'Problem.code': 'The kind of problem, for programs: one of the [codes](#codes).',
  'Problem.holder': 'Who is in the way, if that is known.',
  'Problem.errors': 'With `invalid`: one for each parameter that is wrong.',
  'Problem.errors[].field': 'The name of the parameter.',
  'Problem.errors[].message': 'What is wrong with it.',
  'Problem.retryAfterSeconds': 'After how many seconds it is worth asking again; also in the header `Retry-After`.',
  'Problem.ended': 'With `lease-ended` and `precondition-failed`: how the lease ended, and when.',
  'Problem.lease': 'With `lease-ended` and `precondition-failed`: the lease as it was.',
};

const used = new Set();

/** Schemas that have the fields of another: where to look next. */
const LIKE = [[/^EndedLease\./, 'Lease.'], [/^LockEvent\./, 'Lock.']];

/** What is known of a field; throws for one of which nothing is, so that new ones are described. */
export function meaningOf(field, description) {
  if (field in MEANINGS) {
    used.add(field);
    return MEANINGS[field];
  }
  const [pattern, other] = LIKE.find(([each]) => each.test(field)) ?? [];
  if (pattern !== undefined && field.replace(pattern, other) in MEANINGS) return MEANINGS[field.replace(pattern, other)];
  if (description === undefined) throw new Error(`${field} has no description: add one to its schema or to scripts/api-meanings.mjs`);
  return description;
}

/** Meanings of fields that are not there any more. */
export const unusedMeanings = () => Object.keys(MEANINGS).filter((field) => !used.has(field));
