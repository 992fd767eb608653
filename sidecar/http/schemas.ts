import * as z from 'zod/mini';
import { formatDuration } from '../../server/duration';
import { BUILTIN_NAME_PATTERN, END_REASONS, NAME_PATTERN } from '../leases/lease';
import { MAX_OVERRIDE_MS, OVERRIDES } from '../holders/override/override';
import { describe, flag, wrongValue } from '../../server/http/field-schemas';
import { duration, instant, reason } from './field-schemas';
import { fleet } from './fleet-schema';
import { LOCK_STATES } from '../keeper/status';
import { HISTORY_EVENTS } from '../events/event-texts';
import { WAITING_KINDS } from '../leases/waiting';
import { PROBLEMS, type ProblemCode } from './problems';

/** The parameters and answers of the interface. Validation and the OpenAPI document both follow from these schemas. */

/** The longest wait, and the one without the parameter. Milliseconds. */
export const MAX_WAIT_MS = 3_600_000;
export const DEFAULT_WAIT_MS = 1000;

/** The shortest override, in milliseconds. */
const MIN_OVERRIDE_MS = 1000;

export interface TtlLimits {
  readonly minTtlMs: number;
  readonly defaultTtlMs: number;
  readonly maxTtlMs: number;
}

const wait = duration(0, MAX_WAIT_MS, `How long to wait for a lock that cannot be had now (default ${formatDuration(DEFAULT_WAIT_MS)})`);

/** What `PUT /v1/leases/{name}` takes. */
export function acquireParameters({ minTtlMs, defaultTtlMs, maxTtlMs }: TtlLimits) {
  const ttl = duration(minTtlMs, maxTtlMs, `The time to live, from now (default ${formatDuration(defaultTtlMs)}, or the live lease's own)`);
  return z.strictObject({ ttl: z.optional(ttl), reason: z.optional(reason), wait: z.optional(wait) });
}

/** What `POST /v1/leases/{name}/hold` takes. */
export const holdParameters = z.strictObject({ reason: z.optional(reason), wait: z.optional(wait) });

/** What `GET /v1/update` takes. */
export const updateParameters = z.strictObject({
  wait: z.optional(duration(0, MAX_WAIT_MS, 'Answer as soon as an update waits, and after this time at the latest')),
});

/** What `PUT /v1/override` takes. */
export const overrideParameters = z.strictObject({
  updates: describe(
    z.enum(OVERRIDES, { error: ({ input }) => wrongValue(input, 'is neither', 'allowed are allow and hold') }),
    '`allow`: updates are allowed, also outside of windows; `hold`: updates are held back.',
  ),
  for: duration(MIN_OVERRIDE_MS, MAX_OVERRIDE_MS, 'For how long, from now'),
  reason: z.optional(reason),
});

/** What `POST /v1/update` takes. */
export const requestUpdateParameters = z.strictObject({
  force: z.optional(flag('Take the lock away from everybody who holds it. Needs the admin token.')),
});

/** For requests that take no parameters. */
export const noParameters = z.strictObject({});

const NOT_A_NAME = 'is not a name; 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit, are allowed';

export const leaseName = describe(
  z.string().check(z.regex(NAME_PATTERN, {
    error: ({ input }) =>
      BUILTIN_NAME_PATTERN.test(String(input)) ? "is one of the sidecar's own leases, which nobody else may take or release" : NOT_A_NAME,
  })),
  '1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit.',
);

/** Names that may be read: the sidecar's own too. */
export const readableName = describe(
  z.string().check(z.regex(new RegExp(`${NAME_PATTERN.source}|${BUILTIN_NAME_PATTERN.source}`), { error: NOT_A_NAME })),
  'The name of a lease. Names that begin with "@" are the sidecar\'s own.',
);

const seconds = z.number();

const leaseFields = {
  id: describe(z.string(), 'New with every grant, and kept for as long as the lease lives; also its `ETag`.'),
  name: z.string(),
  reason: z.string(),
  kind: z.enum(['timed', 'connection', 'builtin']),
  since: instant,
  expires: z.nullable(instant),
  ttlSeconds: z.nullable(seconds),
  remainingSeconds: z.nullable(seconds),
  renewals: z.int(),
  peer: describe(z.string(), '"unix", an IP address, or "sidecar".'),
};
export const leaseEnd = z.strictObject({ reason: z.enum(END_REASONS), at: instant });

export const lease = z.strictObject(leaseFields);
export const endedLease = z.strictObject({ ...leaseFields, ended: leaseEnd });
export const leaseList = z.strictObject({ leases: z.array(lease) });
export type LeaseView = z.infer<typeof lease>;
export type EndedLeaseView = z.infer<typeof endedLease>;

/** What is known of updates. */
export const update = z.strictObject({
  supervisor: z.enum(['reachable', 'unreachable', 'not-configured', 'not-asked-yet']),
  pending: describe(z.boolean(), 'Something waits for the lock.'),
  waiting: describe(z.array(z.enum(WAITING_KINDS)), 'All that waits for the lock: `release`, a release of the app; `reboot`, a reboot of the host OS. More kinds may follow.'),
  downloaded: z.boolean(),
  downloading: z.boolean(),
  failed: describe(z.boolean(), 'The last attempt failed; being held back by a lock counts as a failure.'),
  since: describe(z.nullable(instant), 'Since when something has been waiting.'),
  blockedBy: describe(z.array(z.string()), 'The names of the leases that hold it back.'),
  deadline: describe(z.nullable(instant), 'When the leases of apps will be drained for it; null without a deadline.'),
  draining: z.boolean(),
  drainEnds: describe(z.nullable(instant), 'When the leases of apps end, while they are drained.'),
  detail: describe(z.nullable(z.string()), 'What else is known, for people, for example that a reboot waits for the lock of another service.'),
});
export type UpdateView = z.infer<typeof update>;

export const override = z.strictObject({
  updates: z.enum(OVERRIDES),
  reason: z.string(),
  since: instant,
  until: describe(instant, 'When it ends, by the wall clock of the device.'),
  inForce: describe(z.boolean(), 'Whether it is in force: an `allow` is not while the clock of the device is not set.'),
});
export type OverrideView = z.infer<typeof override>;

export const lockPath = z.strictObject({ path: z.string(), state: z.enum(['ours', 'absent', 'supervisor', 'foreign']) });

export const window = z.strictObject({
  open: describe(z.boolean(), 'Updates are allowed now.'),
  opens: describe(z.nullable(instant), 'When it opens next; null while it is open, or if it never opens.'),
  closes: describe(z.nullable(instant), 'When it closes next; null if it never closes.'),
  frozen: describe(z.boolean(), 'Today is a frozen day.'),
  timezone: z.string(),
});

export const device = z.strictObject({
  name: describe(z.nullable(z.string()), 'The name of the device in balena\'s cloud, as last read; null if it is not known.'),
  uuid: describe(z.nullable(z.string()), 'The id of the device; null if it is not known.'),
});

const lockFields = {
  state: z.enum(LOCK_STATES),
  since: z.nullable(instant),
  expires: z.nullable(instant),
  flock: z.boolean(),
  paths: z.array(lockPath),
  window: describe(z.nullable(window), 'The update window; null if none is set.'),
  override: describe(z.nullable(override), 'The override by hand; null without one.'),
  device: describe(z.nullable(device), 'Which device this is; null if neither its name nor its id is known.'),
  summary: describe(z.string(), 'One sentence that answers "why is my device not updating?". Its times are in `UPDATE_LOCK_TIMEZONE`, else UTC, and say so.'),
};
export const lock = z.strictObject({
  ...lockFields,
  leases: z.array(lease),
  update: z.nullable(update),
});
/** The `lock` event: the answer of `GET /v1/lock` without leases and updates, which have events of their own. */
export const lockEvent = z.strictObject({
  snapshot: z.boolean(),
  missed: z.boolean(),
  ...lockFields,
});
export type LockEventView = z.infer<typeof lockEvent>;
export type LockView = z.infer<typeof lock>;

const check = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  warning: z.optional(describe(z.boolean(), 'True if something is wrong, but the lock can be taken.')),
});
export const readiness = z.strictObject({ ready: z.boolean(), checks: z.array(check) });
export const health = z.strictObject({ status: z.literal('ok') });
export const openapiDocument = z.looseObject({ openapi: z.string() });

export const history = z.strictObject({
  events: z.array(
    z.strictObject({
      at: instant,
      event: z.enum(HISTORY_EVENTS),
      name: describe(z.nullable(z.string()), 'The name of the lease or probe; null if the event concerns neither.'),
      text: describe(z.string(), 'What happened, for people. If there is a name, the text continues after it.'),
      detail: describe(z.string(), 'The reason that was given, or other details.'),
    }),
  ),
});
export type HistoryView = z.infer<typeof history>;
export type HistoryEntryView = HistoryView['events'][number];

/** The messages of `GET /v1/events`: their `data` is one JSON document. */
export const event = z.discriminatedUnion('event', [
  z.strictObject({ id: z.string(), event: z.literal('lock'), data: lockEvent }),
  z.strictObject({ id: z.string(), event: z.literal('lease'), data: z.union([lease, endedLease]) }),
  z.strictObject({ id: z.string(), event: z.literal('update'), data: update }),
  z.strictObject({ id: z.string(), event: z.literal('fleet'), data: fleet }),
]);

/** The lines of a hold, each a JSON document. */
export const holdLine = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('held'), lease }),
  z.strictObject({ event: z.literal('update'), update }),
  z.strictObject({ event: z.literal('draining'), endsInSeconds: seconds, reason: z.string() }),
  z.strictObject({ event: z.literal('alive') }),
  z.strictObject({ event: z.literal('ended'), lease: endedLease }),
]);
export type HoldLine = z.infer<typeof holdLine>;

export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  holder: z.optional(z.string()),
  errors: z.optional(z.array(z.strictObject({ field: z.string(), message: z.string() }))),
  retryAfterSeconds: z.optional(z.int()),
  ended: z.optional(leaseEnd),
  lease: z.optional(endedLease),
});
