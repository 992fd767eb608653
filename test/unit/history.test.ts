import { describe as describeEvent } from '../../sidecar/events/event-texts';
import type { NamesOwner, SidecarEvent } from '../../sidecar/events/event';
import { History, HISTORY_LENGTH, MAX_OF_ONE_KIND, PLACES_EACH } from '../../sidecar/events/history';
import { endLease, END_REASONS } from '../../sidecar/leases/lease';
import { FakeClock } from './fake-clock';
import { makeEndedLease, makeLease } from './make-lease';

const acquired = (name: string): SidecarEvent => ({ type: 'lease-acquired', lease: makeLease(name, { sinceMs: 100 }), recovered: false, lock: 'taken' });
const renewed = (name: string, renewals: number): SidecarEvent => ({ type: 'lease-renewed', lease: makeLease(name, { renewals }) });

const clock = new FakeClock();
let history: History;
beforeEach(() => {
  clock.nowMs = 100;
  history = new History(clock);
  history.onEvent({ type: 'started', atMs: 90 });
});

const types = (): string[] => history.entries.map(({ event }) => event.type);

test('it begins with the start, and has the latest first', () => {
  history.onEvent(acquired('a'));
  history.onEvent({ type: 'lease-ended', lease: makeEndedLease('a', 105), lock: 'released' });
  expect(types()).toEqual(['lease-ended', 'lease-acquired', 'started']);
});

test('it has so many events and no more, the last of them', () => {
  for (let index = 0; index < 3 * HISTORY_LENGTH; index += 1) history.onEvent(acquired(`app-${String(index)}`));
  expect(history.entries).toHaveLength(50);
  expect(history.entries[0]?.event).toMatchObject({ lease: { name: 'app-149' } });
  expect(history.entries[48]?.event).toMatchObject({ lease: { name: 'app-101' } });
});

test('the renewals of a lease are one event, the last of them; those of the next lease of that name are another', () => {
  history.onEvent(acquired('a'));
  for (let index = 1; index <= 100; index += 1) history.onEvent(renewed(index % 2 === 0 ? 'a' : 'b', index));
  history.onEvent({ type: 'lease-renewed', lease: makeLease('a', { sinceMs: 7, renewals: 1 }) });
  expect(history.entries.map(({ event }) => (event.type === 'lease-renewed' ? event.lease.renewals : null))).toEqual([1, 100, 99, null, null]);
});

const waits = (): SidecarEvent => ({ type: 'update-changed', turn: { what: 'release', waits: true } });

test.each<[string, (index: number) => SidecarEvent]>([
  ['an app that comes and goes', (index) => (index % 2 === 0 ? acquired('a') : { type: 'lease-ended', lease: makeEndedLease('a', 200), lock: 'released' })],
  ['apps with ever new names', (index) => acquired(`app-${String(index)}`)],
  ['a loss of many leases', (index) => ({ type: 'lease-ended', lease: makeEndedLease(`app-${String(index)}`, 200, 'lost'), lock: 'lost' })],
])('%s does not push out what is not of leases', (_, event) => {
  history.onEvent(waits());
  for (let index = 0; index < 3 * HISTORY_LENGTH; index += 1) history.onEvent(event(index));
  expect(history.entries).toHaveLength(HISTORY_LENGTH);
  expect(types().slice(-2)).toEqual(['update-changed', 'started']);
});

test.each<[string, () => SidecarEvent]>([
  ['an update that is asked for in vain', () => ({ type: 'update-refused', peer: 'unix', problem: 'it is not configured' })],
  ['a disk that is full', () => ({ type: 'failed', operation: 'journal', detail: 'ENOSPC' })],
])('%s does not push out everything else', (_, event) => {
  history.onEvent(acquired('other'));
  for (let index = 0; index < 3 * HISTORY_LENGTH; index += 1) history.onEvent(event());
  expect(history.entries).toHaveLength(MAX_OF_ONE_KIND + 2);
  expect(types().slice(-2)).toEqual(['lease-acquired', 'started']);
});

test('what is not of leases leaves them their places, and the latest of all stays', () => {
  for (let index = 0; index < 60; index += 1) history.onEvent(acquired(`app-${String(index)}`));
  const others: readonly (() => SidecarEvent)[] = [
    waits,
    () => ({ type: 'supervisor-reached' }),
    () => ({ type: 'supervisor-missed', problem: '' }),
    () => ({ type: 'window-turned', reason: null }),
    () => ({ type: 'drained', hasCome: true }),
  ];
  for (let index = 0; index < 60; index += 1) history.onEvent(others[index % others.length]?.() ?? waits());
  expect(history.entries).toHaveLength(HISTORY_LENGTH);
  expect(types().filter((type) => type === 'lease-acquired')).toHaveLength(PLACES_EACH);
  expect(history.entries.find(({ event }) => event.type === 'lease-acquired')?.event).toMatchObject({ lease: { name: 'app-59' } });
  history.onEvent(acquired('last'));
  expect(types()[0]).toBe('lease-acquired');
  expect(history.entries).toHaveLength(HISTORY_LENGTH);
});

test('what comes with every request is not in it', () => {
  const refusal = { code: 'updating', detail: '' } as const;
  for (const type of ['request-waits', 'refused'] as const) history.onEvent({ type, name: 'a', refusal });
  history.onEvent({ type: 'request-dropped', name: 'a' });
  history.onEvent({ type: 'probe-asked', probe: 'a', result: 'free' });
  history.onEvent({ type: 'lock-released', heldMs: 1 });
  expect(types()).toEqual(['started']);
});

test('who else has the lock is told, and when it is free again, but not that we take it and give it back', () => {
  const owners: readonly NamesOwner[] = ['free', 'updating', 'foreign', 'free', 'updating', 'ours', 'free'];
  for (const [index, to] of owners.slice(1).entries()) history.onEvent({ type: 'lock-turned', from: owners[index] ?? 'free', to });
  expect(history.entries.map(({ text }) => text.event)).toEqual(['updating', 'free', 'foreign', 'updating', 'started']);
});

test('of what is known of updates, what begins or ends is told', () => {
  history.onEvent({ type: 'update-changed', turn: null });
  history.onEvent({ type: 'download-began' });
  history.onEvent({ type: 'update-changed', turn: { what: 'release', waits: true } });
  history.onEvent({ type: 'update-changed', turn: { what: 'release', waits: false } });
  expect(types()).toEqual(['update-changed', 'update-changed', 'download-began', 'started']);
});

test('each event has the time at which it happened, also what happened before it could be told, and comes in that order', () => {
  clock.nowMs = 9000;
  history.onEvent({ type: 'supervisor-reached' });
  history.onEvent({ type: 'lease-ended', lease: makeEndedLease('a', 5000, 'expired'), lock: 'held' });
  history.onEvent({ type: 'lease-ended', lease: makeEndedLease('b', 50, 'expired'), lock: 'held' });
  expect(history.entries.map(({ atMs, event }) => [atMs, event.type])).toEqual([
    [9000, 'supervisor-reached'], [5000, 'lease-ended'], [90, 'started'], [50, 'lease-ended'],
  ]);
});

describe('in words', () => {
  const lease = makeLease('kiosk', { reason: 'a customer pays', renewals: 1 });
  const holders = ['kiosk', 'recorder'];
  const changed = { type: 'update-changed' } as const;

  const many = Array.from({ length: 256 }, (_, index) => `a${String(index)}`);
  test.each<[string, string, SidecarEvent]>([
    ['started', 'The sidecar started', { type: 'started', atMs: 1 }],
    ['acquired', 'kiosk: took the lock (a customer pays)', { type: 'lease-acquired', lease, recovered: false, lock: 'held' }],
    ['recovered', 'kiosk: kept the lock over a restart of the sidecar (a customer pays)', { type: 'lease-acquired', lease, recovered: true, lock: 'held' }],
    ['renewed', 'kiosk: renewed', { type: 'lease-renewed', lease }],
    ['renewed', 'kiosk: renewed, 9 times so far', { type: 'lease-renewed', lease: makeLease('kiosk', { renewals: 9 }) }],
    ['renewed', 'kiosk: connected again', { type: 'lease-renewed', lease: makeLease('kiosk', { kind: 'connection' }) }],
    ['released', 'kiosk: let go', { type: 'lease-ended', lease: makeEndedLease('kiosk', 1), lock: 'held' }],
    ['expired', 'kiosk: expired; no lease is left', { type: 'lease-ended', lease: makeEndedLease('kiosk', 1, 'expired'), lock: 'released' }],
    ['expired', 'kiosk: expired: it was not renewed in time', { type: 'lease-ended', lease: endLease(lease, 'expired', 1), lock: 'held' }],
    ['lock-lost', 'The Supervisor took the lock away, by force (held by kiosk, recorder)', { type: 'lock-lost', cause: 'supervisor', holders, atMs: 1 }],
    ['lock-lost', 'The lock was lost: somebody removed its file', { type: 'lock-lost', cause: 'removed', holders: [], atMs: 1 }],
    ['updating', 'An update is being applied', { type: 'lock-turned', from: 'free', to: 'updating' }],
    ['left-behind', 'The lock file of Helios is stale (/l/updates.lock)', { type: 'file-left-behind', path: '/l/updates.lock', isHelios: true, uid: 0 }],
    ['left-behind', 'The lock file may have been left behind: no process holds its flock (/l/updates.lock)', { type: 'file-left-behind', path: '/l/updates.lock', isHelios: false, uid: 7 }],
    ['failed', 'An operation on the lock failed: journal (ENOSPC)', { type: 'failed', operation: 'journal', detail: 'ENOSPC' }],
    ['window-opened', 'The update window has opened', { type: 'window-turned', reason: null }],
    ['window-closed', 'The update window has closed', { type: 'window-turned', reason: 'a window opens at 02:00' }],
    ['probe-missed', 'camera: failed (connect ECONNREFUSED)', { type: 'probe-missed', probe: 'camera', problem: 'connect ECONNREFUSED' }],
    ['probe-reached', 'camera: works again', { type: 'probe-reached', probe: 'camera' }],
    ['update-waits', 'An update is waiting', { ...changed, turn: { what: 'release', waits: true } }],
    ['update-over', 'No update is waiting any more', { ...changed, turn: { what: 'release', waits: false } }],
    ['download-began', 'An update is being downloaded', { type: 'download-began' }],
    ['supervisor-missed', 'The Supervisor cannot be reached (a time-out)', { type: 'supervisor-missed', problem: 'a time-out' }],
    ['supervisor-reached', 'The Supervisor answers again', { type: 'supervisor-reached' }],
    ['update-requested', 'The Supervisor was asked to try the update now (accepted) (the Supervisor tries as soon as it has asked the cloud)', { type: 'update-requested', kind: 'retry', result: 'accepted', detail: 'the Supervisor tries as soon as it has asked the cloud' }],
    ['update-requested', 'The Supervisor was asked to update by force (failed) (it answered 500)', { type: 'update-requested', kind: 'force', result: 'failed', detail: 'it answered 500' }],
    ['update-refused', 'Somebody asked for an update, but the Supervisor cannot be asked (no)', { type: 'update-refused', peer: 'unix', problem: 'no' }],
    ['update-forced', 'Somebody on the Unix socket forces an update: the lock will be lost', { type: 'update-forced', peer: 'unix', holders: [] }],
    ['update-forced', 'Somebody at 10.0.0.1 forces an update: the lock will be lost (held by a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 and 246 more)', { type: 'update-forced', peer: '10.0.0.1', holders: many }],
    ['update-forced', 'Somebody at 10.0.0.1 forces an update: the lock will be lost (held by kiosk, recorder)', { type: 'update-forced', peer: '10.0.0.1', holders }],
    ['deadline-nears', 'An update has been waiting for 2h (held by kiosk, recorder)', { type: 'deadline-nears', waiting: [{ what: 'release', sinceMs: 1 }], waitedMs: 7_200_300, deadlineAtMs: 0, holders }],
    ['draining', 'Draining: the update has waited until its deadline, and the apps have to let go (held by kiosk, recorder)', { type: 'draining', endsAtMs: 0, reason: '', holders }],
    ['drain-over', 'Draining is over, but the update has not come', { type: 'drained', hasCome: false }],
  ])('%s: %s', (kind, sentence, event) => {
    const text = describeEvent(event)?.history;
    expect(text?.event).toBe(kind);
    const { name, text: words, detail = '' } = text ?? { text: '' };
    expect(`${name === undefined ? '' : `${name}: `}${words}${detail === '' ? '' : ` (${detail})`}`).toBe(sentence);
  });

  test.each(END_REASONS)('a lease that has ended is %s for programs too', (reason) => {
    expect(describeEvent({ type: 'lease-ended', lease: makeEndedLease('a', 1, reason), lock: 'held' })?.history?.event).toBe(reason);
  });
});
