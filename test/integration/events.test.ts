import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { readdirSync, unlinkSync } from 'node:fs';
import { EventStream } from '../support/event-stream';
import { IMAGE_OPTIONS } from '../support/image-options';
import { supervisorLocks, supervisorUnlocks } from '../support/readers';
import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { startWaiting } from '../support/updatable-device';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

test('a stream begins with the present state: the lock, each lease, and updates', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('a', { reason: 'first' });
  await sidecar.put('b');
  const stream = await EventStream.open(sidecar.target);
  expect(stream.response.headers['content-type']).toBe('text/event-stream');
  const events = await stream.opened();
  expect(events.map(({ event, data }) => [event, data.name ?? data.state ?? data.supervisor])).toEqual([
    ['lock', 'held'],
    ['lease', 'a'],
    ['lease', 'b'],
    ['fleet', 'off'],
    ['update', 'not-configured'],
  ]);
  expect(events[0]?.data).toMatchObject({ snapshot: true, flock: true, summary: expect.stringContaining('a (first) and b') });
  expect(new Set(events.map(({ id }) => id)).size).toBe(5);
});

test('every change of leases and lock follows, in order', async () => {
  const sidecar = await Sidecar.start();
  const stream = await EventStream.open(sidecar.target);
  await stream.opened();
  await sidecar.put('a');
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'held');
  await sidecar.put('a', { ttl: 600 });
  await stream.next(({ data }) => data.renewals === 1);
  await sidecar.release('a');
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'free' && data.snapshot === false);
  const leases = stream.events.filter(({ event }) => event === 'lease').map(({ data }) => data);
  expect(leases.map(({ name, renewals, ended }) => [name, renewals, ended?.reason])).toEqual([
    ['a', 0, undefined],
    ['a', 1, undefined],
    ['a', 1, 'released'],
  ]);
});

test('what others do to the lock is told, and the end of a cooldown', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOST_COOLDOWN: '1s' } });
  const stream = await EventStream.open(sidecar.target);
  await stream.opened();
  const paths = sidecar.lockFiles;
  expect(paths.map((path) => supervisorLocks(path))).toEqual([true, true]);
  // One name after the other: the first may be told of before the second is taken.
  const taken = JSON.stringify(paths.map((path) => ({ path, state: 'supervisor' })));
  await stream.next(({ data }) => data.state === 'updating' && JSON.stringify(data.paths) === taken);
  supervisorUnlocks(paths);
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'free', 2);
  await sidecar.put('a');
  unlinkSync(paths[0] ?? '');
  await stream.next(({ data }) => data.ended?.reason === 'lost');
  const { id } = await stream.next(({ data }) => data.state === 'cooldown');
  await stream.next(({ data }) => data.state === 'free', stream.events.findIndex((event) => event.id === id));
});

test('what changes of an update is told: for whom it waits, its deadline, a drain', async () => {
  const { sidecar } = await startWaiting({}, { UPDATE_LOCK_SUPERVISOR_POLL: '200ms', UPDATE_LOCK_DEADLINE: '1h' });
  const stream = await EventStream.open(sidecar.target);
  const first = (await stream.opened()).at(-1)?.data;
  expect([first.blockedBy, typeof first.deadline]).toEqual([['app'], 'string']);
  await sidecar.put('b');
  await stream.next(({ event, data }) => event === 'update' && data.blockedBy.length === 2);
  await sidecar.release('app');
  await stream.next(({ event, data }) => event === 'update' && data.blockedBy[0] === 'b');
  const updates = stream.events.filter(({ event }) => event === 'update').map(({ data }) => JSON.stringify(data));
  expect(updates.filter((text, index) => text === updates[index - 1])).toEqual([]);
});

describe('a reader that comes back', () => {
  test('is sent what it has missed, and nothing twice', async () => {
    const sidecar = await Sidecar.start();
    const stream = await EventStream.open(sidecar.target);
    await stream.opened();
    await sidecar.put('a');
    await stream.next(({ data }) => data.state === 'held');
    const id = stream.lastId;
    stream.close();
    await stream.ended();
    await sidecar.put('b');
    await sidecar.release('a');
    const again = await EventStream.open(sidecar.target, id);
    await again.next(({ data }) => data.ended?.reason === 'released');
    await sidecar.put('c');
    await again.next(({ data }) => data.name === 'c');
    expect(again.events.filter(({ event }) => event === 'lease').map(({ data }) => [data.name, data.ended?.reason])).toEqual([
      ['b', undefined],
      ['a', 'released'],
      ['c', undefined],
    ]);
    expect(again.events.some(({ data }) => data.snapshot === true)).toBe(false);
  });

  test('in the middle of the first events begins anew', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('a');
    const stream = await EventStream.open(sidecar.target);
    const [first] = await stream.opened();
    const again = await EventStream.open(sidecar.target, first?.id);
    expect((await again.opened())[0]?.data.snapshot).toBe(true);
  });

  test('after a restart sees another epoch, and is sent the present state', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('a');
    const stream = await EventStream.open(sidecar.target);
    await stream.opened();
    const id = stream.lastId;
    await sidecar.kill();
    await stream.ended();
    const started = await sidecar.startAgain();
    const again = await EventStream.open(started.target, id);
    const events = await again.opened();
    expect(events[0]?.data.snapshot).toBe(true);
    expect(again.lastId.split('-')[0]).not.toBe(id.split('-')[0]);
  });

  test('after more than is kept is sent the present state', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOG_LEVEL: 'info' } });
    const stream = await EventStream.open(sidecar.target);
    await stream.opened();
    const id = stream.lastId;
    stream.close();
    await stream.ended();
    for (let index = 0; index < 2_100; index += 1) await sidecar.put('a');
    const again = await EventStream.open(sidecar.target, id);
    expect((await again.opened())[0]?.data.snapshot).toBe(true);
  });
});

test('a reader that does not read for a while is told that it missed events, and nobody else notices', async () => {
  // The heap of the image: without it Node.js lets garbage of requests grow to as much as what is looked for.
  const sidecar = await Sidecar.start({ environment: { NODE_OPTIONS: IMAGE_OPTIONS } });
  const [slow, reader] = [await EventStream.open(sidecar.target), await EventStream.open(sidecar.target)];
  await Promise.all([slow.opened(), reader.opened()]);
  slow.response.pause();
  // Quickly: the connection of one that reads nothing for long is closed.
  const agent = new Agent({ keepAlive: true });
  for (let index = 0; index < 5_000; index += 1) await put(sidecar, agent, 'a', String(index).padStart(256, 'x'));
  agent.destroy();
  await sidecar.put('last');
  await reader.next(({ data }) => data.name === 'last');
  const { text } = await sidecar.send('GET', '/metrics');
  expect(Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1])).toBeLessThan(150e6);
  slow.response.resume();
  const anew = await slow.next(({ data }) => data.missed === true);
  expect(anew.data.snapshot).toBe(true);
  const after = slow.events.indexOf(anew);
  await slow.next(({ event, data }) => event === 'lease' && data.name === 'last', after);
  expect(await slow.next(({ event }) => event === 'update', after)).toBeDefined();
  expect(slow.events.slice(after).map(({ data }) => data.name ?? '')).toEqual(['', 'a', 'last', '', '']);
  // And goes on from there.
  await sidecar.release('a');
  await slow.next(({ data }) => data.name === 'a' && data.ended?.reason === 'released', after);
  expect(reader.events.some(({ data }) => data.missed === true)).toBe(false);
});

/** On one connection for all, which is quicker. */
async function put(sidecar: Sidecar, agent: Agent, name: string, reason = ''): Promise<void> {
  const sent = request({ socketPath: sidecar.socketPath, method: 'PUT', path: `/v1/leases/${name}?reason=${reason}`, agent }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  expect([200, 201]).toContain(answer.statusCode);
  await once(answer.resume(), 'end');
}

test('a loss of thousands of leases is told to every reader, lease by lease or as missed', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_MAX_LEASES: '2500', UPDATE_LOCK_LOG_LEVEL: 'info' } });
  const agent = new Agent({ keepAlive: true });
  for (let index = 0; index < 2500; index += 1) await put(sidecar, agent, `lease-${String(index)}`);
  agent.destroy();
  // As text: to check each of thousands of events would take most of a minute.
  const texts = await Promise.all(Array.from({ length: 3 }, () => readText(sidecar)));
  for (const told of texts) await until(() => told.text.includes('event: update'));
  unlinkSync(sidecar.lockFiles[0] ?? '');
  for (const told of texts) {
    await until(() => told.text.includes('"state":"cooldown"'));
    const ends = told.text.split('"ended":{"reason":"lost"').length - 1;
    if (!told.text.includes('"missed":true')) expect(ends).toBe(2500);
  }
}, 60_000);

/** What a reader has been told so far. */
async function readText(sidecar: Sidecar): Promise<{ text: string }> {
  const sent = request({ socketPath: sidecar.socketPath, path: '/v1/events', agent: false }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const told = { text: '' };
  answer.setEncoding('utf8').on('data', (chunk: string) => (told.text += chunk)).on('error', () => undefined);
  return told;
}

test.each([['of a process that is gone', 'abcdefghij-5', true], ['that is none', 'x', true], ['that is below 0', '-1', true], ['that is empty', '', false]])('an id %s gets the present state, missed: %j', async (_, id, missed) => {
  const sidecar = await Sidecar.start();
  const stream = await EventStream.open(sidecar.target, id);
  const [first] = await stream.opened();
  expect(first?.data).toMatchObject({ snapshot: true, missed });
});

test('many readers are all told of everything', async () => {
  const sidecar = await Sidecar.start();
  const readers = await Promise.all(Array.from({ length: 200 }, () => EventStream.open(sidecar.target)));
  await Promise.all(readers.map((reader) => reader.opened()));
  for (const name of ['a', 'b', 'c']) await sidecar.put(name);
  for (const reader of readers) await reader.next(({ data }) => data.name === 'c');
  for (const reader of readers) {
    const names = reader.events.filter(({ event }) => event === 'lease').map(({ data }) => data.name);
    expect(names).toEqual(['a', 'b', 'c']);
  }
});

test('HEAD is answered without a stream', async () => {
  const sidecar = await Sidecar.start();
  expect((await sidecar.send('HEAD', '/v1/events')).status).toBe(200);
});

test('on a stop the streams end with what has happened', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ON_STOP: 'release' } });
  await sidecar.put('a');
  const stream = await EventStream.open(sidecar.target);
  await stream.opened();
  sidecar.process.kill('SIGTERM');
  await stream.ended();
  expect(stream.events.some(({ data }) => data.ended?.reason === 'stopped')).toBe(true);
  expect(await sidecar.exited()).toBe(0);
});

test('what is closed is forgotten: 2,000 readers in turn leave nothing behind', async () => {
  const sidecar = await Sidecar.start();
  for (let index = 0; index < 200; index += 1) {
    const batch = await Promise.all(Array.from({ length: 10 }, () => EventStream.open(sidecar.target)));
    for (const reader of batch) reader.close();
  }
  await until(() => readdirSync(`/proc/${String(sidecar.process.pid)}/fd`).length < 40);
  await sidecar.put('a');
});
