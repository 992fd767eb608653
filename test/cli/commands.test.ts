import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { CLI, Command } from './command';

let sidecar: Sidecar;

afterEach(async () => {
  await Command.cleanUp();
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

function ask(...args: string[]): ReturnType<typeof Command.run> {
  return Command.run(args, { url: `unix:${sidecar.socketPath}` });
}

const QUIET = { exit: 0, stdout: '', stderr: '' };

describe('leases for a time', () => {
  beforeEach(async () => {
    sidecar = await Sidecar.start();
  });

  test('are acquired, renewed and released in silence', async () => {
    expect(await ask('acquire', 'recorder', '--ttl', '10m', '--reason', 'recording')).toEqual(QUIET);
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body).toMatchObject({ ttlSeconds: 600, reason: 'recording', renewals: 0 });
    expect(await ask('renew', 'recorder', '--ttl=20m')).toEqual(QUIET);
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body).toMatchObject({ ttlSeconds: 1200, renewals: 1 });
    expect(await ask('release', 'recorder')).toEqual(QUIET);
    expect((await sidecar.send('GET', '/v1/leases/recorder')).status).toBe(410);
    expect(await ask('release', 'recorder')).toEqual(QUIET);
  });

  test('are shown as JSON if wanted', async () => {
    expect(JSON.parse((await ask('acquire', 'a', '--json')).stdout)).toMatchObject({ name: 'a', kind: 'timed' });
    expect(JSON.parse((await ask('renew', 'a', '--json')).stdout)).toMatchObject({ name: 'a', renewals: 1 });
  });

  test('that have ended cannot be renewed', async () => {
    await sidecar.put('recorder');
    await sidecar.release('recorder');
    expect(await ask('renew', 'recorder')).toMatchObject({ exit: 75, stdout: '', stderr: expect.stringContaining('released') as string });
    expect(await ask('renew', 'never')).toMatchObject({ exit: 75, stderr: expect.stringContaining('never') as string });
  });

  test('that are refused say why', async () => {
    expect(await ask('acquire', 'a', '--ttl', '25h')).toMatchObject({ exit: 64, stderr: expect.stringMatching(/^update-lock: --ttl: "25h" is too long/) as string });
    writeFileSync(sidecar.lockFiles[0] ?? '', 'somebody');
    expect(await ask('acquire', 'a', '--wait', '0')).toMatchObject({ exit: 75, stdout: '', stderr: expect.stringContaining('updates.lock') as string });
  });

  test('cannot be had where nobody is', async () => {
    for (const args of [['acquire', 'a', '--wait', '0'], ['renew', 'a'], ['release', 'a'], ['status']]) {
      expect(await Command.run(args, { url: `unix:${sidecar.folder}/nowhere` })).toMatchObject({ exit: 69, stdout: '', stderr: expect.stringContaining('nowhere') as string });
    }
  });
});

test('an unreachable sidecar at the default address is told with what to set', async () => {
  // Its default address is of no host here.
  const { exit, stderr } = await Command.run(['status']);
  expect(exit).toBe(69);
  expect(stderr).toMatch(/^update-lock: The sidecar cannot be reached at .*; if it is elsewhere, set UPDATE_LOCK_URL or the option url\n$/);
  expect((await Command.run(['status'], { url: 'http://127.0.0.1:1' })).stderr).not.toContain('elsewhere');
});

describe('status', () => {
  beforeEach(async () => {
    sidecar = await Sidecar.start();
  });

  test('says who, why, since and until when', async () => {
    await sidecar.put('recorder', { ttl: '5m', reason: 'recording' });
    const { exit, stdout } = await ask('status');
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^Updates are held back, since .* until .* at the latest$/m);
    expect(stdout).toMatch(/^ {2}recorder {2}since (?:\S+ )?\d\d:\d\d \(\d s ago\), until (?:\S+ )?\d\d:\d\d \(in .*\) {2}recording$/m);
  });

  test('says so in full on a terminal that does not know its width', async () => {
    await sidecar.put('recorder');
    const command = spawn('script', ['-qec', `stty cols 0; ${process.execPath} ${CLI} status`, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], TERM: 'dumb', UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` },
    });
    const shown = await text(command.stdout);
    expect(shown).toContain('Updates are held back, since');
    expect(shown).toContain('  recorder  since');
  });

  test('with --check it exits 1 while updates are held back, and 0 while they are possible', async () => {
    expect(await ask('status', '--check')).toMatchObject({ exit: 0, stdout: expect.stringContaining('Nothing holds back updates') as string });
    await sidecar.put('recorder');
    expect(await ask('status', '--check', '--json')).toMatchObject({ exit: 1, stdout: expect.stringContaining('recorder') as string });
    expect(await ask('status')).toMatchObject({ exit: 0 });
    await sidecar.release('recorder');
    writeFileSync(sidecar.lockFiles[0] ?? '', 'somebody');
    expect(await ask('status', '--check')).toMatchObject({ exit: 1 });
  });

  test('as JSON it is what the sidecar says', async () => {
    await sidecar.put('recorder');
    expect(JSON.parse((await ask('status', '--json')).stdout)).toMatchObject({ state: 'held', leases: [{ name: 'recorder' }] });
  });
});

describe('history', () => {
  beforeEach(async () => {
    sidecar = await Sidecar.start();
    await sidecar.put('recorder', { reason: 'recording\u001b[2J' });
    await sidecar.release('recorder');
  });

  test('says what happened, newest first, without what a terminal would obey', async () => {
    const { exit, stdout, stderr } = await ask('history');
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/, ''))).toEqual([
      'recorder let go; no lease is left', 'recorder took the lock (recording\uFFFD[2J)', 'The sidecar started', '',
    ]);
  });

  test('as JSON it is what the sidecar says', async () => {
    expect(JSON.parse((await ask('history', '--json')).stdout)).toEqual((await sidecar.send('GET', '/v1/history')).body);
  });
});

describe('updates', () => {
  let supervisor: StandInSupervisor;

  beforeEach(async () => {
    const folder = makeFolder();
    supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
    sidecar = await Sidecar.start({ folder, environment: { ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '200ms', UPDATE_LOCK_ADMIN_TOKEN: 'admin' } });
    await sidecar.put('app');
  });

  test('are waited for, over a restart of the sidecar', async () => {
    const command = Command.start(['wait-update', '--json'], { url: `unix:${sidecar.socketPath}` });
    await sidecar.kill();
    sidecar = await Sidecar.start({ folder: sidecar.folder, environment: { ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '200ms' } });
    await supervisor.pushRelease();
    expect(await command.closed()).toBe(0);
    expect(JSON.parse(command.stdout)).toMatchObject({ pending: true, blockedBy: ['app'] });
  });

  test('are waited for no longer than wanted', async () => {
    expect(await ask('wait-update', '--timeout', '100ms')).toEqual({ ...QUIET, exit: 75 });
    expect(await ask('wait-update', '--timeout', '0')).toEqual({ ...QUIET, exit: 75 });
  });

  test('are known at once with a timeout of 0', async () => {
    await supervisor.pushRelease();
    await sidecar.logged('update pending');
    expect(await ask('wait-update', '--timeout', '0')).toEqual(QUIET);
  });

  test('are asked for, by force with the admin token only', async () => {
    expect(await ask('update')).toEqual(QUIET);
    expect(await ask('update', '--force')).toMatchObject({ exit: 77, stdout: '' });
    const allowed = { url: `unix:${sidecar.socketPath}`, environment: { UPDATE_LOCK_TOKEN: 'admin' } };
    expect(await Command.run(['update', '--force'], allowed)).toEqual(QUIET);
  });

  test('are not known without a Supervisor', async () => {
    sidecar = await Sidecar.start();
    for (const timeout of [[], ['--timeout', '0'], ['--timeout', '1h']]) {
      expect(await ask('wait-update', ...timeout)).toMatchObject({ exit: 69, stdout: '', stderr: expect.stringContaining('Supervisor') as string });
    }
    expect(await ask('update')).toMatchObject({ exit: 69, stdout: '', stderr: expect.stringContaining('Supervisor') as string });
  });
});

describe('a token from a file', () => {
  const KEY = 'a-token-of-the-api';

  test('is sent as the token, without the line break at its end', async () => {
    sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_API_TOKEN: KEY } });
    const { port = 0 } = sidecar.tcpTarget as { port?: number };
    const url = `http://127.0.0.1:${String(port)}`;
    const file = join(makeFolder(), 'token');
    writeFileSync(file, `${KEY}\n`);
    expect(await Command.run(['acquire', 'a', '--token-file', file], { url })).toEqual(QUIET);
    expect(await Command.run(['release', 'a', `--token-file=${file}`], { url })).toEqual(QUIET);
    expect(await Command.run(['acquire', 'a'], { url })).toMatchObject({ exit: 77 });
  });

  test('that is missing, empty or more than a token is a wrong command line', async () => {
    const file = join(makeFolder(), 'token');
    const use = (): ReturnType<typeof Command.run> => Command.run(['status', '--token-file', file]);
    expect(await use()).toMatchObject({ exit: 64, stderr: expect.stringContaining(file) as string });
    for (const text of ['', '\n', 'two words', 'two\nlines']) {
      writeFileSync(file, text);
      expect(await use()).toMatchObject({ exit: 64, stdout: '', stderr: expect.stringContaining(`${file} does not have one token`) as string });
    }
  });
});
