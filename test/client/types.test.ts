import type * as client from '../../client/src/types';
import type * as sidecar from '../../sidecar/http/schemas';
import type { FleetView } from '../../sidecar/http/fleet-schema';
import type { ProblemCode } from '../../sidecar/http/problems';
import type { z } from 'zod/mini';
import { DURATION_PATTERN, parseDuration as parsedBySidecar } from '../../server/duration';
import { parseDuration } from '../../client/src/duration';

/** Fails to compile unless whatever the sidecar sends is what the client says that it gets. */
type Sends<Sent, Received> = [Sent] extends [Received] ? true : never;
/** Fails to compile unless both are the same. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

type ProblemView = z.infer<typeof sidecar.problem>;
type EventView = z.infer<typeof sidecar.event>;
/** Beside what it carries, an event is a type and an id; the client calls `type` what is `event` on the wire. */
type Received<T> = T extends { id: string; type: infer Type; data: infer Data } ? { id: string; event: Type; data: Data } : never;
type EventName = EventView['event'];

/** The compiler is the test. */
const AGREED: Record<string, true> = {
  lease: true satisfies Same<sidecar.LeaseView, client.Lease>,
  'ended lease': true satisfies Same<sidecar.EndedLeaseView, client.EndedLease>,
  lock: true satisfies Sends<sidecar.LockView, client.LockStatus>,
  'fields of the lock': true satisfies Same<keyof sidecar.LockView, keyof client.LockStatus>,
  'state of the lock': true satisfies Same<sidecar.LockView['state'], client.LockState>,
  'paths of the lock': true satisfies Same<sidecar.LockView['paths'], client.LockStatus['paths']>,
  'window of the lock': true satisfies Same<sidecar.LockView['window'], client.LockStatus['window']>,
  override: true satisfies Same<sidecar.OverrideView, client.Override>,
  update: true satisfies Same<sidecar.UpdateView, client.Update>,
  fleet: true satisfies Same<FleetView, client.Fleet>,
  history: true satisfies Sends<sidecar.HistoryEntryView, client.HistoryEntry>,
  'fields of the history': true satisfies Same<keyof sidecar.HistoryEntryView, keyof client.HistoryEntry>,
  event: true satisfies Sends<EventView, Received<client.LockEvent>>,
  'names of events': true satisfies Same<EventName, client.LockEvent['type']>,
  'fields of the lock event': true satisfies Same<keyof sidecar.LockEventView, keyof client.LockSummary | 'snapshot' | 'missed'>,
  'names of lines of a hold': true satisfies Same<sidecar.HoldLine['event'], client.HoldLine['event']>,
  'line of a hold': true satisfies Sends<sidecar.HoldLine, client.HoldLine>,
  problem: true satisfies Sends<ProblemView, client.Problem>,
  'fields of a problem': true satisfies Same<keyof ProblemView, keyof client.Problem>,
  'code of a problem': true satisfies Same<ProblemCode, client.ProblemCode>,
};

test.each(Object.keys(AGREED))('client and sidecar agree on %s', (what) => {
  expect(AGREED[what]).toBe(true);
});

test.each([0, 1.5, '0', '1.5', '500ms', '90s', '5m', '1h30m', '1d', '1d2h3m4s5ms', '1.5h', '', 'soon', '-1', '1m1h', '1s1s', ' 1s', '1 s', '1e3', '٣s', '1'.repeat(65)])(
  'client and sidecar agree on how long %j is',
  (duration) => {
    expect(parseDuration(duration)).toBe(typeof duration === 'string' ? parsedBySidecar(duration) : duration * 1000);
    expect(typeof duration === 'string' && duration.length <= 64 && parseDuration(duration) !== null).toBe(typeof duration === 'string' && duration.length <= 64 && DURATION_PATTERN.test(duration));
  },
);
