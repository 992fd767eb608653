// What fields mean of which the OpenAPI document says no more than their type.

export const MEANINGS = {
  'Lease.name': 'The holder\'s.',
  'Lease.reason': 'Why; empty if nothing was said.',
  'Lease.kind': 'For a time, by a connection, or the sidecar\'s own.',
  'Lease.since': 'When it was acquired; a renewal does not change it.',
  'Lease.expires': 'When it ends unless it is renewed; null if it has no end of its own.',
  'Lease.ttlSeconds': 'The time to live that was asked for last.',
  'Lease.remainingSeconds': 'How much of it is left, or was at the end.',
  'Lease.renewals': 'How often it was renewed.',
  'Lease.peer': 'Who asked: "unix" for the socket, an address, or "sidecar".',
  'EndedLease.ended': 'How it came to its end.',
  'LeaseEnd.reason': '`lost`: the lock was taken away. `drained`: an update had waited long enough. `disconnected`: its connection ended. `stopped`: the sidecar did, with `UPDATE_LOCK_ON_STOP=release`.',
  'LeaseEnd.at': 'When.',
  'LeaseList.leases': 'The oldest first.',
  'Lock.state': '`held`: ours. `updating`: the Supervisor or Helios has it, also in the cooldown, or an update that is being applied may need it again. `foreign`: somebody else has, or Helios has left a stale file. `cooldown`: just lost, and nobody has it yet. `unavailable`: it cannot be written or locked.',
  'Lock.since': 'Since when it is held; null while it is not.',
  'Lock.expires': 'When the last lease ends at the latest, as things are; null while the lock is not held, or if one has no end.',
  'Lock.flock': 'Whether `flock(2)` is held, which is what stops reboots of the host OS.',
  'Lock.paths': 'Every lock file.',
  'LockPath.path': 'Where it is.',
  'LockPath.state': 'Whose file is there now.',
  'Window.timezone': 'Of windows and freezes, by its IANA name.',
  'Lock.leases': 'The live leases, the oldest first.',
  'Lock.update': 'What the Supervisor has said; null if it has not, or not lately.',
  'History.events': 'The latest first.',
  'History.events[].at': 'When.',
  'History.events[].event': 'What it was; of a lease\'s end, how it ended.',
  'Event.id': 'For `Last-Event-ID`.',
  'Event.data': 'What it is about.',
  'LockEvent.snapshot': 'The present state follows: forget the leases you knew.',
  'LockEvent.missed': 'With `snapshot`: you have missed events that are not kept any more.',
  'Update.supervisor': '`not-configured`: the sidecar has no address and key for it.',
  'Update.downloaded': 'The Supervisor has fetched an image for it.',
  'Update.downloading': 'They are being fetched.',
  'Update.draining': 'The deadline has passed: apps get no leases.',
  'Override.updates': '`allow`: updates are allowed whatever the windows say. `hold`: the lock is held.',
  'Override.reason': 'Why; empty if nothing was said.',
  'Override.since': 'When it was given.',
  'HoldLine.lease': 'This hold\'s lease.',
  'HoldLine.update': 'An update begins to wait, or no longer does.',
  'HoldLine.endsInSeconds': 'How long until the lease is ended for an update.',
  'HoldLine.reason': 'Why it is ended.',
  'Readiness.ready': 'Whether all checks are ok.',
  'Readiness.checks': 'What was looked at.',
  'Readiness.checks[].name': 'Which.',
  'Readiness.checks[].ok': 'Whether it is right.',
  'Readiness.checks[].detail': 'What was found.',
  'Health.status': 'Always.',
  'Problem.type': '`urn:update-lock:` and the code.',
  'Problem.title': 'What kind of problem, in words.',
  'Problem.status': 'The status of the answer.',
  'Problem.detail': 'What is wrong with this request, and what would be right.',
  'Problem.code': 'For programs to decide by: [codes](#codes).',
  'Problem.holder': 'Who is in the way, if that is known.',
  'Problem.errors': 'With `invalid`, one for each field that is wrong.',
  'Problem.errors[].field': 'Which.',
  'Problem.errors[].message': 'What is wrong with it.',
  'Problem.retryAfterSeconds': 'When it is worth asking again; also the header `Retry-After`.',
  'Problem.ended': 'With `lease-ended` and `precondition-failed`: how.',
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
