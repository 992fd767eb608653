import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Refusal } from '../../sidecar/leases/refusal-codes';
import { refused, type AcquireRequest, type Outcome } from '../../sidecar/leases/request';
import { WaitingRoom } from '../../sidecar/keeper/waiting-room';
import { FakeClock } from './fake-clock';
import { makeLease } from './make-lease';

const LONG_MS = 60_000;
const UPDATING: Refusal = { code: 'updating', detail: 'an update' };
const requestOf = (name: string): AcquireRequest => ({ name, kind: 'timed', ttlMs: 1000, reason: '', peer: 'unix' });
const granted = (name: string): Outcome => ({ kind: 'granted', lease: makeLease(name), isNew: true });

/** A room whose lock can be had or not, and everything that came of the requests, in order. */
class Room {
  readonly delivered: string[] = [];
  readonly attempted: string[] = [];
  answer: (name: string) => Outcome = () => refused(UPDATING);
  readonly room: WaitingRoom;

  constructor() {
    this.room = new WaitingRoom(new FakeClock(), ({ name }) => {
      this.attempted.push(name);
      return this.answer(name);
    });
  }

  add(name: string, waitMs = LONG_MS, refusal = UPDATING): { drop: () => void; done: Promise<void> } {
    let drop = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      drop = this.room.add(requestOf(name), refusal, waitMs, (outcome) => {
        this.delivered.push(outcome.kind === 'granted' ? name : `${name}: ${outcome.refusal.code}`);
        resolve();
      });
    });
    return { drop, done };
  }
}

let room: Room;
beforeEach(() => (room = new Room()));
afterEach(() => { room.room.close(); });

test('nobody is tried before the call, nor in the same turn', () => {
  room.add('a');
  room.room.call();
  expect(room.attempted).toEqual([]);
});

test('all who wait are served in the order in which they came', async () => {
  const [, , last] = ['a', 'b', 'c'].map((name) => room.add(name));
  room.answer = granted;
  room.room.call();
  await last?.done;
  expect(room.delivered).toEqual(['a', 'b', 'c']);
});

test('a drain, which is for apps, keeps back nobody behind them whom it is not for; an update does', async () => {
  room.add('app', LONG_MS, { code: 'draining', detail: 'a drain' });
  const { done } = room.add('@window');
  room.answer = (name) => (name === 'app' ? refused({ code: 'draining', detail: 'a drain' }) : granted(name));
  room.room.call();
  await done;
  room.add('other');
  room.answer = (name) => (name === 'app' ? refused(UPDATING) : granted(name));
  room.room.call();
  await nextTurn();
  expect(room.delivered).toEqual(['@window']);
});

test('however often it is called in one turn, each is tried once', async () => {
  const { done } = room.add('a');
  room.answer = granted;
  for (let call = 0; call < 5; call += 1) room.room.call();
  await done;
  await nextTurn();
  expect(room.attempted).toEqual(['a']);
});

test('while the first cannot be served nobody behind it is', async () => {
  room.add('a');
  room.add('b');
  room.answer = (name) => (name === 'a' ? refused(UPDATING) : granted(name));
  room.room.call();
  await nextTurn();
  await nextTurn();
  expect([room.attempted, room.delivered]).toEqual([['a'], []]);
});

test('one whom waiting will not help is told so, and the next has its turn', async () => {
  room.add('a');
  const { done } = room.add('b');
  room.answer = (name) => (name === 'a' ? refused({ code: 'too-many-leases', detail: '' }) : granted(name));
  room.room.call();
  await done;
  expect(room.delivered).toEqual(['a: too-many-leases', 'b']);
});

test('one who has gone, be it later in the turn of the call, is neither tried nor told anything', async () => {
  const gone = room.add('gone');
  const { done } = room.add('b');
  room.answer = granted;
  room.room.call();
  // As when the kernel reports the closed connection after what the call was for.
  process.nextTick(() => { queueMicrotask(gone.drop); });
  await done;
  expect([room.attempted, room.delivered]).toEqual([['b'], ['b']]);
});

test('going after having been served changes nothing', async () => {
  const { drop, done } = room.add('a');
  room.answer = granted;
  room.room.call();
  await done;
  drop();
  expect(room.delivered).toEqual(['a']);
});

test('at the end of its wait a request is refused for the reason that was found last', async () => {
  const { done } = room.add('a', 30);
  room.answer = () => refused({ code: 'foreign-lock', detail: '' });
  room.room.call();
  await done;
  expect(room.delivered).toEqual(['a: foreign-lock']);
});

test('the end of one wait leaves the others where they are', async () => {
  const brief = room.add('brief', 1);
  const patient = room.add('patient');
  await brief.done;
  room.answer = granted;
  room.room.call();
  await patient.done;
  expect(room.delivered).toEqual(['brief: updating', 'patient']);
});

test('where the refusal says when it passes, the request is tried then without a call', async () => {
  const { done } = room.add('a', LONG_MS, { code: 'cooldown', detail: '', retryAfterMs: 5 });
  room.answer = granted;
  await done;
  expect(room.delivered).toEqual(['a']);
});

test('it is tried again when the next refusal passes, as often as it takes', async () => {
  const { done } = room.add('a', LONG_MS, { code: 'cooldown', detail: '', retryAfterMs: 1 });
  room.answer = (name) => (room.attempted.length < 4 ? refused({ code: 'cooldown', detail: '', retryAfterMs: 1 }) : granted(name));
  await done;
  expect(room.attempted).toHaveLength(4);
});

test('a stop refuses everybody, once, and nobody is tried any more', async () => {
  room.add('a', 1);
  room.add('b');
  room.answer = granted;
  room.room.call();
  room.room.close();
  expect(room.delivered).toEqual(['a: stopping', 'b: stopping']);
  await sleep(20);
  expect([room.delivered.length, room.attempted]).toEqual([2, []]);
});
