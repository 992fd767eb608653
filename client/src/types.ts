/** The documents of the sidecar, as in its OpenAPI document. Times are RFC 3339 in UTC. */

/** A length of time: a number of seconds, or `500ms`, `90s`, `5m`, `1h30m`, `1d`. */
export type Duration = number | string;

/** `timed` ends by itself; `connection` lives as long as a connection; `builtin` is the sidecar's own. */
export type LeaseKind = 'timed' | 'connection' | 'builtin';

export type EndReason = 'released' | 'expired' | 'disconnected' | 'lost' | 'drained' | 'stopped';

/** One named reason to hold the lock. */
export interface Lease {
  /** New with every grant, and kept for as long as the lease lives. */
  id: string;
  name: string;
  reason: string;
  kind: LeaseKind;
  /** When it was first granted; renewals do not move it. */
  since: string;
  /** When it ends by itself; null for one without an end of its own. */
  expires: string | null;
  ttlSeconds: number | null;
  remainingSeconds: number | null;
  renewals: number;
  /** The client that asked: `unix`, an IP address, or `sidecar`. */
  peer: string;
}

/** A lease that has ended, and how. */
export interface EndedLease extends Lease {
  ended: { reason: EndReason; at: string };
}

/** The state of updates. */
export interface Update {
  /** Whether the device's Supervisor answers. */
  supervisor: 'reachable' | 'unreachable' | 'not-configured' | 'not-asked-yet';
  /** Something waits for the lock. */
  pending: boolean;
  /** All that waits for the lock: a release of the app, a reboot of the host OS. */
  waiting: ('release' | 'reboot')[];
  downloaded: boolean;
  downloading: boolean;
  failed: boolean;
  since: string | null;
  /** The names of the leases that hold it back. */
  blockedBy: string[];
  /** When the leases are drained at the latest, for the update to get through; null for never. */
  deadline: string | null;
  draining: boolean;
  /** When the leases of apps end, while they are drained. */
  drainEnds: string | null;
  /** What else there is to tell, for people. */
  detail: string | null;
}

/** The turn of this device in a fleet that takes turns. */
export interface Fleet {
  /** `off` where no turns are taken; in `turn`, `settling` and `unwell` the device has its turn. */
  state: 'off' | 'idle' | 'asking' | 'turn' | 'settling' | 'unwell' | 'returning';
  group: string | null;
  id: string | null;
  since: string | null;
  turnSince: string | null;
  nextAskAt: string | null;
  /** What else there is to tell, for people. */
  detail: string | null;
  server: 'reachable' | 'unreachable' | 'not-asked-yet';
}

export type LockState = 'held' | 'free' | 'updating' | 'foreign' | 'cooldown' | 'unavailable';

/** When updates are allowed, where windows are configured. */
export interface Window {
  open: boolean;
  opens: string | null;
  closes: string | null;
  frozen: boolean;
  timezone: string;
}

/** Somebody has said by hand whether updates are allowed. */
export interface Override {
  /** `allow`: whatever the windows say; `hold`: the lock is held. */
  updates: 'allow' | 'hold';
  reason: string;
  since: string;
  until: string;
  /** Whether it has its effect: an `allow` has none while the clock of the device is not set. */
  inForce: boolean;
}

/** The lock as the event stream has it: without the leases, which have events of their own. */
export interface LockSummary {
  state: LockState;
  since: string | null;
  expires: string | null;
  flock: boolean;
  paths: { path: string; state: 'ours' | 'absent' | 'supervisor' | 'foreign' }[];
  window: Window | null;
  override: Override | null;
  /** Which device this is; null if neither its name nor its id is known. */
  device: { name: string | null; uuid: string | null } | null;
  /** One sentence that answers "why is my device not updating?". */
  summary: string;
}

/** The answer to `GET /v1/lock`. */
export interface LockStatus extends LockSummary {
  leases: Lease[];
  update: Update | null;
}

/** Something that happened, in words. */
export interface HistoryEntry {
  at: string;
  /** What kind of thing it was, for programs: `acquired`, `released`, `update-waits` and others. */
  event: string;
  /** The name of the lease or probe; null if the event concerns neither. */
  name: string | null;
  /** For people; it continues the sentence that the name begins, if there is one. */
  text: string;
  /** The reason that was given, or what else is known; empty if nothing is. */
  detail: string;
}

/** The leases are about to be ended, for an update that has waited long enough. */
export interface Draining {
  endsInSeconds: number;
  reason?: string | undefined;
}

/** One line of a hold. Lines of other kinds are to be ignored. */
export type HoldLine =
  | { event: 'held'; lease: Lease }
  | { event: 'update'; update: Update }
  | ({ event: 'draining' } & Draining)
  | { event: 'alive' }
  | { event: 'ended'; lease: EndedLease };

/** One event of `GET /v1/events`. After a `lock` with `snapshot` every live lease and the update follow: they replace the former state. With `missed` too, events were missed. */
export type LockEvent =
  | { id: string; type: 'lock'; data: LockSummary & { snapshot: boolean; missed: boolean } }
  | { id: string; type: 'lease'; data: Lease | EndedLease }
  | { id: string; type: 'update'; data: Update }
  | { id: string; type: 'fleet'; data: Fleet };

/** The body of an error answer (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  /** The holder that is in the way. */
  holder?: string | undefined;
  errors?: { field: string; message: string }[] | undefined;
  retryAfterSeconds?: number | undefined;
  ended?: EndedLease['ended'] | undefined;
  lease?: EndedLease | undefined;
}

export type ProblemCode =
  | 'malformed'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'lease-not-found'
  | 'method-not-allowed'
  | 'name-in-use'
  | 'lease-ended'
  | 'precondition-failed'
  | 'too-large'
  | 'unsupported-media-type'
  | 'invalid'
  | 'updating'
  | 'foreign-lock'
  | 'cooldown'
  | 'draining'
  | 'too-many-leases'
  | 'internal'
  | 'cannot-lock'
  | 'supervisor-unavailable'
  | 'stopping';
