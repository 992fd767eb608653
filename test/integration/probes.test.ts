import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream';
import { ProbedServer } from '../support/probed-server';
import { holdsBackHost, supervisorForces, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  ProbedServer.cleanUp();
});

type Fields = Readonly<Record<string, unknown>>;

/** A probe that is asked often, and holds when it says busy. */
function probe(url: string, fields: Fields = {}): Fields {
  return { name: 'jenkins', url, every: '100ms', ...('holdUnless' in fields ? {} : { holdWhen: '/busy/' }), ...fields };
}

function settings(...probes: Fields[]): Record<string, string> {
  return { UPDATE_LOCK_PROBES: JSON.stringify(probes) };
}

async function namesOf(sidecar: Sidecar): Promise<string[]> {
  const { leases } = (await sidecar.send('GET', '/v1/leases')).body as { leases: { name: string }[] };
  return leases.map(({ name }) => name);
}

async function seriesOf(sidecar: Sidecar): Promise<string[]> {
  return (await sidecar.send('GET', '/metrics')).text.split('\n').filter((line) => line.startsWith('update_lock_probe_'));
}

test('it holds while the answer matches, and everybody can see that', async () => {
  const server = await ProbedServer.start('busy');
  const sidecar = await Sidecar.start({ environment: settings(probe(server.url)) });
  const stream = await EventStream.open(sidecar.target);
  await sidecar.logged('lease acquired', { name: '@probe-jenkins' });
  const lock = (await sidecar.send('GET', '/v1/lock')).body;
  expect(lock.summary).toMatch(/^Updates are held back by @probe-jenkins \(jenkins says that it is busy\) since (?:\S+ )?\d\d:\d\d UTC, until the next answer of jenkins at the earliest\.$/);
  expect(lock.leases).toEqual([expect.objectContaining({ name: '@probe-jenkins', kind: 'builtin', expires: null, ttlSeconds: null, peer: 'sidecar' })]);
  expect(await namesOf(sidecar)).toEqual(['@probe-jenkins']);
  expect(sidecar.lockFiles.map((path) => [existsSync(path), holdsBackHost(path)])).toEqual([[true, true], [true, true]]);
  expect((await sidecar.send('GET', '/metrics')).text).toContain('\nupdate_lock_lease_held{name="@probe-jenkins"} 1\n');
  expect(await seriesOf(sidecar)).toEqual(['update_lock_probe_up{probe="jenkins"} 1', 'update_lock_probe_holds{probe="jenkins"} 1']);
  await stream.next(({ event, data }) => event === 'lease' && data.name === '@probe-jenkins' && data.ended === undefined);

  server.behaviour = 'idle';
  await stream.next(({ data }) => data.name === '@probe-jenkins' && data.ended?.reason === 'released');
  await stream.next(({ event, data }) => event === 'lock' && data.state === 'free');
  expect(sidecar.lockFiles.map((path) => existsSync(path))).toEqual([false, false]);
  expect(await seriesOf(sidecar)).toEqual(['update_lock_probe_up{probe="jenkins"} 1', 'update_lock_probe_holds{probe="jenkins"} 0']);
});

test('holdUnless holds while the answer does not match', async () => {
  const server = await ProbedServer.start('<busyExecutors>2</busyExecutors>');
  const sidecar = await Sidecar.start({ environment: settings(probe(server.url, { holdUnless: '/<busyExecutors>0</busyExecutors>/' })) });
  await sidecar.logged('lease acquired', { name: '@probe-jenkins' });
  server.behaviour = '<busyExecutors>0</busyExecutors>';
  await sidecar.logged('lease ended', { name: '@probe-jenkins', ended: 'released' });
});

test('the log has a line when the answer changes, and when the probe fails, but not each time; the lease is not rewritten', async () => {
  const server = await ProbedServer.start('busy');
  const sidecar = await Sidecar.start({ environment: settings(probe(server.url)) });
  const asked = async (): Promise<void> => {
    await server.askedAgain(3);
  };
  await asked();
  server.behaviour = (_, response) => response.writeHead(500).end();
  await asked();
  server.behaviour = (_, response) => response.destroy();
  await asked();
  server.behaviour = 'idle';
  await sidecar.logged('probe says free');
  await asked();
  const log = await sidecar.wholeLog();
  const lines = log.filter(({ message, level }) => String(message).startsWith('probe') && level !== 'debug');
  expect(lines.map(({ level, message, probe: name, detail }) => [level, message, name, detail])).toEqual([
    ['info', 'probe says busy', 'jenkins', undefined],
    ['warn', 'probe failed', 'jenkins', 'it answered with status 500'],
    ['info', 'probe works again', 'jenkins', undefined],
    ['info', 'probe says free', 'jenkins', undefined],
  ]);
  expect(log.filter(({ message }) => String(message).startsWith('lease')).map(({ message }) => message)).toEqual(['lease acquired', 'lease ended']);
  expect(log.filter(({ message }) => message === 'probe asked').length).toBeGreaterThan(7);
});

test('metrics are there from the start, at 0', async () => {
  const silent = await ProbedServer.startRaw(() => undefined);
  const sidecar = await Sidecar.start({ environment: settings(probe(silent, { name: 'a', timeout: '1h' }), probe(silent, { name: 'b', timeout: '1h' })) });
  expect(await seriesOf(sidecar)).toEqual(['up', 'holds'].flatMap((what) => ['a', 'b'].map((name) => `update_lock_probe_${what}{probe="${name}"} 0`)));
});

describe('when the probe fails', () => {
  test.each<[string, string, boolean]>([
    ['keep', 'busy', true],
    ['keep', 'idle', false],
    ['hold', 'busy', true],
    ['hold', 'idle', true],
    ['release', 'busy', false],
    ['release', 'idle', false],
  ])('onError %s, after %s: held is %s', async (onError, before, held) => {
    const server = await ProbedServer.start(before);
    const sidecar = await Sidecar.start({ environment: settings(probe(server.url, { onError })) });
    await sidecar.logged(`probe says ${before === 'busy' ? 'busy' : 'free'}`);
    await server.stop();
    const { detail } = await sidecar.logged('probe failed');
    expect(await namesOf(sidecar)).toEqual(held ? ['@probe-jenkins'] : []);
    expect(await seriesOf(sidecar)).toEqual(['update_lock_probe_up{probe="jenkins"} 0', `update_lock_probe_holds{probe="jenkins"} ${String(Number(held))}`]);
    if (onError === 'hold') {
      const { reason } = (await sidecar.send('GET', '/v1/leases/@probe-jenkins')).body;
      expect(reason).toBe(`the probe failed: ${String(detail)}`);
    }
  });

  test.each([['keep', []], ['hold', ['@probe-jenkins']], ['release', []]])('from the start, onError %s: %j', async (onError, held) => {
    const sidecar = await Sidecar.start({ environment: settings(probe('http://127.0.0.1:1/', { onError })) });
    await sidecar.logged('probe failed');
    expect(await namesOf(sidecar)).toEqual(held);
  });

  test('the lease says why it began, and is not rewritten as that changes', async () => {
    const server = await ProbedServer.start((_, response) => response.writeHead(503).end());
    const sidecar = await Sidecar.start({ environment: settings(probe(server.url, { onError: 'hold' })) });
    await sidecar.logged('probe failed');
    server.behaviour = (_, response) => response.writeHead(404).end();
    await server.askedAgain(3);
    expect((await sidecar.send('GET', '/v1/leases/@probe-jenkins')).body).toMatchObject({ reason: 'the probe failed: it answered with status 503', renewals: 0 });
    server.behaviour = 'busy';
    await sidecar.logged('probe works again');
    expect((await sidecar.send('GET', '/v1/leases/@probe-jenkins')).body).toMatchObject({ reason: 'jenkins says that it is busy', renewals: 1 });
  });
});

describe('after a restart', () => {
  test.each(['keep', 'hold'])('the lease goes on as it was until the first answer, also if there is none: onError %s', async (onError) => {
    const server = await ProbedServer.start('busy');
    const first = await Sidecar.start({ environment: settings(probe(server.url, { onError })) });
    await first.logged('lease acquired');
    const { since } = (await first.send('GET', '/v1/leases/@probe-jenkins')).body;
    await first.kill();
    server.behaviour = () => undefined;
    const again = await first.startAgain({ ...settings(probe(server.url, { onError, timeout: '1h' })), UPDATE_LOCK_RESTART_GRACE: '0' });
    await server.askedAgain(1);
    expect((await again.send('GET', '/v1/leases/@probe-jenkins')).body).toMatchObject({ since, expires: null, renewals: 0 });
    expect(await seriesOf(again)).toEqual(['update_lock_probe_up{probe="jenkins"} 0', 'update_lock_probe_holds{probe="jenkins"} 1']);
    expect((await again.wholeLog()).filter(({ message }) => message === 'lease ended')).toEqual([]);
  });

  test('the first answer decides', async () => {
    const server = await ProbedServer.start('busy');
    const first = await Sidecar.start({ environment: settings(probe(server.url)) });
    await first.logged('lease acquired');
    await first.kill();
    server.behaviour = 'idle';
    const again = await first.startAgain(settings(probe(server.url)));
    await again.logged('lease ended', { name: '@probe-jenkins', ended: 'released' });
  });

  test('onError keep keeps what a former process held; onError release does not', async () => {
    const server = await ProbedServer.start('busy');
    const first = await Sidecar.start({ environment: settings(probe(server.url)) });
    await first.logged('lease acquired');
    await first.kill();
    await server.stop();
    const kept = await first.startAgain(settings(probe(server.url)));
    await kept.logged('probe failed');
    expect(await namesOf(kept)).toEqual(['@probe-jenkins']);
    await kept.kill();
    const released = await kept.startAgain(settings(probe(server.url, { onError: 'release' })));
    await released.logged('lease ended', { name: '@probe-jenkins', ended: 'released' });
  });

  test('a lease that was lost while there was no sidecar is kept too, and so taken again', async () => {
    const server = await ProbedServer.start('busy');
    const first = await Sidecar.start({ environment: settings(probe(server.url)) });
    await first.logged('lease acquired', { name: '@probe-jenkins' });
    await first.kill();
    await server.stop();
    expect(supervisorForces(first.lockFiles)).toEqual([true, true]);
    const again = await first.startAgain({ ...settings(probe(server.url)), UPDATE_LOCK_LOST_COOLDOWN: '0' });
    await again.logged('lease ended', { name: '@probe-jenkins', ended: 'lost' });
    await again.logged('probe failed');
    supervisorUnlocks(first.lockFiles);
    await again.logged('lease acquired', { name: '@probe-jenkins' });
  });

  test('the lease of a probe that is not configured any more is given back at once', async () => {
    const server = await ProbedServer.start('busy');
    const first = await Sidecar.start({ environment: settings(probe(server.url)) });
    await first.logged('lease acquired');
    await first.kill();
    const again = await first.startAgain(settings(probe(server.url, { name: 'other', every: '1d', timeout: '1h' })));
    expect(await namesOf(again)).not.toContain('@probe-jenkins');
  });

  test('a stop in good order keeps it too', async () => {
    const server = await ProbedServer.start('busy');
    const first = await Sidecar.start({ environment: settings(probe(server.url)) });
    await first.logged('lease acquired');
    expect(await first.kill('SIGTERM')).toBe(0);
    expect(existsSync(first.lockFiles[0] ?? '')).toBe(true);
  });
});

test('a lock that was taken away by force is taken again after the cooldown, while it is busy', async () => {
  const server = await ProbedServer.start('busy');
  const sidecar = await Sidecar.start({ environment: { ...settings(probe(server.url, { every: '1d' })), UPDATE_LOCK_LOST_COOLDOWN: '1s' } });
  await sidecar.logged('lease acquired');
  unlinkSync(sidecar.lockFiles[0] ?? '');
  await sidecar.logged('lease ended', { name: '@probe-jenkins', ended: 'lost' });
  await until(async () => (await namesOf(sidecar)).includes('@probe-jenkins'));
});

test('an update that is being applied is waited for; and one that says free meanwhile is not waited for any more', async () => {
  const server = await ProbedServer.start('idle');
  const sidecar = await Sidecar.start({ environment: settings(probe(server.url)) });
  await sidecar.logged('probe says free');
  expect(sidecar.lockFiles.map((path) => supervisorLocks(path))).toEqual([true, true]);
  server.behaviour = 'busy';
  await sidecar.logged('request waits', { name: '@probe-jenkins' });
  server.behaviour = 'idle';
  await sidecar.logged('request dropped: its client has gone', { name: '@probe-jenkins' });
  server.behaviour = 'busy';
  await sidecar.logged('request waits', {}, 2);
  supervisorUnlocks(sidecar.lockFiles);
  await sidecar.logged('lease acquired', { name: '@probe-jenkins' });
});

test('a drain ends it, and it is wanted again when the update has come', async () => {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
  const server = await ProbedServer.start('busy');
  const environment = { ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '200ms', UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '0' };
  const sidecar = await Sidecar.start({ folder, environment: { ...environment, ...settings(probe(server.url)) } });
  await sidecar.logged('lease acquired');
  await supervisor.pushRelease();
  await sidecar.logged('lease ended', { name: '@probe-jenkins', ended: 'drained' });
  await supervisor.history.next('applied');
  await until(async () => (await namesOf(sidecar)).includes('@probe-jenkins'));
});

test('a wrong probe is told with its place, and nothing is touched', async () => {
  const sidecar = Sidecar.spawn({ environment: settings(probe('http://user:hunter2@localhost:x/', { every: 'often' })) });
  expect(await sidecar.exited()).toBe(78);
  expect(sidecar.output.split('\n').filter((line) => line !== '')).toEqual([
    expect.stringContaining('update-lock: UPDATE_LOCK_PROBES: probe 1 "jenkins", url: "***@localhost:x/" is not a URL'),
    expect.stringContaining('update-lock: UPDATE_LOCK_PROBES: probe 1 "jenkins", every: "often" is not an interval'),
  ]);
  expect(existsSync(sidecar.directory)).toBe(false);
});
