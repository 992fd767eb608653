import { History, HISTORY_LENGTH, type Happening } from '../../sidecar/history';
import { showEntry } from '../../sidecar/http/history-view';
import type { LockState, LockStatus } from '../../sidecar/keeper/status';
import { END_REASONS } from '../../sidecar/leases/lease';
import { NEVER_ASKED } from '../../sidecar/supervisor/update-status';
import type { SidecarEvent } from '../../sidecar/event-feed';
import { FakeClock } from './fake-clock';
import { makeEndedLease, makeLease } from './make-lease';

const acquired = (name: string): SidecarEvent => ({ type: 'lease-acquired', lease: makeLease(name), recovered: false, lock: 'taken' });
const renewed = (name: string, renewals: number): SidecarEvent => ({ type: 'lease-renewed', lease: makeLease(name, { renewals }) });

class FakeKeeper {
  heldSinceMs: number | null = null;
  state: LockState = 'free';

  status(): LockStatus {
    return { state: this.state } as LockStatus;
  }
}

const clock = new FakeClock();
const keeper = new FakeKeeper();
let history: History;
beforeEach(() => {
  history = new History(clock, keeper);
});

const types = (): string[] => history.entries.map(({ happening }) => happening.type);

test('it begins with the start, and has the latest first', () => {
  history.onEvent(acquired('a'));
  history.onEvent({ type: 'lease-ended', lease: makeEndedLease('a', 5), lock: 'released' });
  expect(types()).toEqual(['lease-ended', 'lease-acquired', 'started']);
});

test('it has so many events and no more', () => {
  for (let index = 0; index < 3 * HISTORY_LENGTH; index += 1) history.onEvent(acquired(`app-${String(index)}`));
  expect(history.entries).toHaveLength(50);
  expect(history.entries[0]?.happening).toMatchObject({ lease: { name: 'app-149' } });
  expect(history.entries[49]?.happening).toMatchObject({ lease: { name: 'app-100' } });
});

test('the renewals of a lease are one event, the last of them; those of the next lease of that name are another', () => {
  history.onEvent(acquired('a'));
  for (let index = 1; index <= 100; index += 1) history.onEvent(renewed(index % 2 === 0 ? 'a' : 'b', index));
  history.onEvent({ type: 'lease-renewed', lease: makeLease('a', { sinceMs: 7, renewals: 1 }) });
  expect(history.entries.map(({ happening }) => (happening.type === 'lease-renewed' ? happening.lease.renewals : null))).toEqual([1, 100, 99, null, null]);
});

test('what fails again and again in the same way is one event', () => {
  for (let index = 0; index < 9; index += 1) history.onEvent({ type: 'failed', operation: 'journal', detail: index === 0 ? 'EIO' : 'ENOSPC' });
  expect(types()).toEqual(['failed', 'failed', 'started']);
});

test('what comes with every request is not in it', () => {
  const refusal = { code: 'updating', detail: '' } as const;
  for (const type of ['request-waits', 'refused'] as const) history.onEvent({ type, name: 'a', refusal });
  history.onEvent({ type: 'request-dropped', name: 'a' });
  history.onEvent({ type: 'probe-asked', probe: 'a', result: 'free' });
  history.onEvent({ type: 'lock-released', heldMs: 1 });
  expect(types()).toEqual(['started']);
});

test('who else has the lock is told once, and when it is free again', () => {
  const look = (state: LockState, heldSinceMs: number | null = null): void => {
    Object.assign(keeper, { state, heldSinceMs });
    history.onLook();
  };
  for (const state of ['free', 'updating', 'updating', 'foreign', 'free', 'free', 'cooldown', 'free', 'updating'] as const) look(state);
  look('held', 5);
  look('free');
  expect(history.entries.map(({ happening }) => (happening.type === 'lock-turned' ? happening.state : happening.type))).toEqual([
    'updating', 'free', 'foreign', 'updating', 'started',
  ]);
});

test('of what is known of updates, what begins or ends is told', () => {
  const status = { ...NEVER_ASKED, supervisor: 'reachable' } as const;
  history.onEvent({ type: 'update-changed', status, turn: null });
  history.onEvent({ type: 'update-changed', status: { ...status, downloading: true }, turn: null });
  history.onEvent({ type: 'update-changed', status: { ...status, downloading: true, downloaded: true }, turn: null });
  history.onEvent({ type: 'update-changed', status: { ...status, waitsSinceMs: 1 }, turn: 'waits' });
  history.onEvent({ type: 'update-changed', status, turn: 'over' });
  expect(types()).toEqual(['update-changed', 'update-changed', 'download-began', 'started']);
});

test('each event has the time at which it happened, which may be before it was told', () => {
  clock.nowMs = 9000;
  history.onEvent({ type: 'lease-ended', lease: makeEndedLease('a', 5000, 'expired'), lock: 'held' });
  history.onEvent({ type: 'supervisor-reached' });
  expect(history.entries.slice(0, 2).map(({ atMs }) => atMs)).toEqual([9000, 5000]);
});

describe('in words', () => {
  const timeline = { toRfc3339: (ms: number): string => String(ms) } as Parameters<typeof showEntry>[1];
  const lease = makeLease('kiosk', { reason: 'a customer pays', renewals: 1 });
  const holders = ['kiosk', 'recorder'];
  const changed = { type: 'update-changed', status: NEVER_ASKED } as const;

  test.each<[Happening, string, string]>([
    [{ type: 'started' }, 'started', 'The sidecar started'],
    [{ type: 'lease-acquired', lease, recovered: false, lock: 'held' }, 'acquired', 'kiosk: took the lock (a customer pays)'],
    [{ type: 'lease-acquired', lease, recovered: true, lock: 'held' }, 'recovered', 'kiosk: kept the lock over a restart of the sidecar (a customer pays)'],
    [{ type: 'lease-renewed', lease }, 'renewed', 'kiosk: renewed'],
    [{ type: 'lease-renewed', lease: makeLease('kiosk', { renewals: 9 }) }, 'renewed', 'kiosk: renewed, 9 times so far'],
    [{ type: 'lease-ended', lease: makeEndedLease('kiosk', 1), lock: 'held' }, 'released', 'kiosk: let go'],
    [{ type: 'lease-ended', lease: makeEndedLease('kiosk', 1, 'expired'), lock: 'released' }, 'expired', 'kiosk: expired: it was not renewed in time; the lock is free'],
    [{ type: 'lock-lost', cause: 'supervisor', holders }, 'lock-lost', 'The Supervisor took the lock away, by force (held by kiosk, recorder)'],
    [{ type: 'lock-lost', cause: 'removed', holders: [] }, 'lock-lost', 'The lock was lost: somebody removed its file'],
    [{ type: 'lock-turned', state: 'updating' }, 'updating', 'An update is being applied'],
    [{ type: 'failed', operation: 'journal', detail: 'ENOSPC' }, 'failed', 'An operation on the lock failed: journal (ENOSPC)'],
    [{ type: 'window-turned', reason: null }, 'window-opened', 'The window for updates has opened'],
    [{ type: 'window-turned', reason: 'a window opens at 02:00' }, 'window-closed', 'The window for updates has closed'],
    [{ type: 'probe-missed', probe: 'camera', problem: 'connect ECONNREFUSED' }, 'probe-missed', 'camera: cannot be asked (connect ECONNREFUSED)'],
    [{ type: 'probe-reached', probe: 'camera' }, 'probe-reached', 'camera: can be asked again'],
    [{ ...changed, turn: 'waits' }, 'update-waits', 'An update waits'],
    [{ ...changed, turn: 'over' }, 'update-over', 'No update waits any more'],
    [{ type: 'download-began' }, 'download-began', 'An update is being downloaded'],
    [{ type: 'supervisor-missed', problem: 'a time-out' }, 'supervisor-missed', 'The Supervisor cannot be reached (a time-out)'],
    [{ type: 'supervisor-reached' }, 'supervisor-reached', 'The Supervisor answers again'],
    [{ type: 'update-requested', kind: 'retry', result: 'accepted', detail: 'the Supervisor tries now' }, 'update-requested', 'The Supervisor was asked to try the update now: it does (the Supervisor tries now)'],
    [{ type: 'update-requested', kind: 'force', result: 'failed', detail: 'it answered 500' }, 'update-requested', 'The Supervisor was asked to update by force: that failed (it answered 500)'],
    [{ type: 'update-refused', peer: 'unix', problem: 'no' }, 'update-refused', 'Somebody asked for an update, but the Supervisor cannot be asked (no)'],
    [{ type: 'update-forced', peer: '10.0.0.1', holders }, 'update-forced', 'Somebody (10.0.0.1) forces an update: the lock will be lost (held by kiosk, recorder)'],
    [{ type: 'deadline-nears', waitedMs: 7_200_300, deadlineAtMs: 0, holders }, 'deadline-nears', 'An update has been waiting for 2h (held by kiosk, recorder)'],
    [{ type: 'draining', endsAtMs: 0, reason: '', holders }, 'draining', 'Draining: the update has waited long enough, and the apps have to let go (held by kiosk, recorder)'],
    [{ type: 'drained', hasCome: false }, 'drain-over', 'Draining is over, but the update has not come'],
  ])('%j', (happening, event, sentence) => {
    const shown = showEntry({ atMs: 7, happening }, timeline);
    expect(shown).toMatchObject({ at: '7', event });
    expect(`${shown.name === null ? '' : `${shown.name}: `}${shown.text}${shown.detail === '' ? '' : ` (${shown.detail})`}`).toBe(sentence);
  });

  test.each(END_REASONS)('a lease that has ended is %s for programs too', (reason) => {
    expect(showEntry({ atMs: 0, happening: { type: 'lease-ended', lease: makeEndedLease('a', 1, reason), lock: 'held' } }, timeline).event).toBe(reason);
  });
});
