import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { supervisorForces, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { Run, SCRIPT, SHELLS, type Result } from './shell-script';

afterEach(async () => {
  Run.endAll();
  await Sidecar.cleanUp();
});

test('shellcheck finds nothing to say', () => {
  const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', SCRIPT], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
});

test('its version is the project\'s', () => {
  const { version } = JSON.parse(readFileSync(resolve(__dirname, '../../package.json'), 'utf8')) as { version: string };
  expect(spawnSync(SCRIPT, ['--version'], { encoding: 'utf8' }).stdout).toBe(`update-lock ${version}\n`);
});

test('it works in zsh as well', async () => {
  const sidecar = await Sidecar.start();
  const child = new Run(['zsh', '-f', SCRIPT, 'run', '--name', 'recorder', '--', 'echo', 'done'], { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` });
  expect(await child.result()).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
  expect((await sidecar.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('released');
});

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('in %s', (_name, shell) => {
  let sidecar: Sidecar;
  beforeEach(async () => {
    sidecar = await Sidecar.start();
  });

  const start = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run =>
    new Run([...shell, SCRIPT, ...args], { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}`, ...environment });
  const run = (...args: string[]): Promise<Result> => start(args).result();

  test('run leaves standard input, outputs, arguments and exit status alone', async () => {
    const script = 'cat; printf "[%s]" "$@" "$UPDATE_LOCK_HELD" "$UPDATE_LOCK_NAME"; echo error >&2; exit 7';
    const child = start(['run', '--name=recorder', '--', 'sh', '-c', script, 'sh', 'a b', '', '*', '$x']);
    child.child.stdin?.end('input\n');
    expect(await child.result()).toEqual({ status: 7, stdout: 'input\n[a b][][*][$x][1][recorder]', stderr: 'error\n' });
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
    expect((await sidecar.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('released');
  });

  test('COMMAND inherits none of the files that the script has opened', async () => {
    const list = 'ls -l /proc/self/fd | grep -c deleted';
    expect((await run('run', '--', 'sh', '-c', list)).stdout).toBe('0\n');
  });

  test.each([
    ['is ended by it', 'echo started; exec sleep 1000', 0],
    ['handles it', 'trap "exit 5" HUP INT QUIT TERM USR1; echo started; while :; do sleep 0.1; done', 5],
  ] as const)('a signal is passed on, and COMMAND %s', async (_what, script, handled) => {
    for (const [signal, number] of [['SIGTERM', 15], ['SIGINT', 2], ['SIGHUP', 1], ['SIGUSR1', 10], ['SIGQUIT', 3]] as const) {
      const child = start(['run', '--', 'sh', '-c', `ulimit -c 0; ${script}`]);
      await child.said('started');
      child.child.kill(signal);
      expect([signal, (await child.result()).status]).toEqual([signal, handled === 0 ? 128 + number : handled]);
    }
    await until(() => !existsSync(sidecar.lockFiles[0] ?? ''));
  });

  test('SIGINT ends COMMAND even where nothing can give it back its default', async () => {
    const bin = join(sidecar.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'env'), '#!/bin/sh\nexit 1\n');
    chmodSync(join(bin, 'env'), 0o755);
    const child = start(['run', '--', 'sh', '-c', 'echo started; exec sleep 1000'], { PATH: `${bin}:${process.env['PATH'] ?? ''}` });
    await child.said('started');
    child.child.kill('SIGINT');
    expect((await child.result()).status).toBe(130);
  });

  test('a signal to the whole group does not end the hold before COMMAND has ended', async () => {
    const child = start(['run', '--name', 'recorder', '--', 'sh', '-c', 'trap "" TERM; echo started; exec cat']);
    await child.said('started');
    process.kill(-(child.child.pid ?? 0), 'SIGTERM');
    await sidecar.send('GET', '/healthz');
    expect((await sidecar.send('GET', '/v1/leases/recorder')).status).toBe(200);
    child.child.stdin?.end('saved\n');
    await child.said('saved');
    await until(() => !existsSync(sidecar.lockFiles[0] ?? ''));
  });

  test('a signal while it waits ends it, and the request', async () => {
    sidecar.lockFiles.forEach(supervisorLocks);
    const child = start(['run', '--', 'echo', 'never']);
    await child.said('waiting: The balena Supervisor holds the lock');
    child.child.kill('SIGTERM');
    await once(child.child, 'exit');
    expect(child.child.signalCode).toBe('SIGTERM');
    supervisorUnlocks(sidecar.lockFiles);
    await until(async () => (await sidecar.send('GET', '/v1/lock')).body.state === 'free');
  });

  test('COMMAND is not run if the process that asks for the lock is killed', async () => {
    const child = start(['run', '--', 'echo', 'never'], { UPDATE_LOCK_URL: `unix:${sidecar.folder}/none` });
    await child.said('waiting: ');
    const pid = String(child.child.pid);
    const [asking = ''] = readOf(pid, `task/${pid}/children`).split(' ');
    process.kill(Number(asking), 'SIGKILL');
    expect(await child.result()).toMatchObject({ status: 69, stdout: '' });
  });

  test('--on-lost warn, the default, says so and lets COMMAND run', async () => {
    const child = start(['run', '--', 'sh', '-c', 'echo started; read line; exit 3']);
    await child.said('started');
    supervisorForces(sidecar.lockFiles);
    await child.said('the lock is lost (lost): the command goes on without it');
    child.child.stdin?.end('\n');
    expect((await child.result()).status).toBe(3);
    supervisorUnlocks(sidecar.lockFiles);
  });

  test('leaves no process and no file behind, killed or not', async () => {
    const temporary = join(sidecar.folder, 'temporary');
    mkdirSync(temporary);
    const environment = { TMPDIR: temporary, MARK: sidecar.folder };
    expect((await start(['run', '--', 'true'], environment).result()).status).toBe(0);
    await until(() => marked(sidecar.folder).length === 0);
    const child = start(['run', '--', 'sh', '-c', 'echo started; exec cat'], environment);
    await child.said('started');
    expect(readdirSync(temporary)).toEqual([]);
    child.child.kill('SIGKILL');
    child.child.stdin?.end();
    await until(() => marked(sidecar.folder).length === 0, 60_000);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('acquires, renews and releases', async () => {
    expect(await run('acquire', 'upload', '--ttl', '10m', '--reason', '"@x" & \\')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect((await sidecar.send('GET', '/v1/leases/upload')).body).toMatchObject({ ttlSeconds: 600, reason: '"@x" & \\', renewals: 0 });
    expect((await run('renew', 'upload', '--ttl=20m')).status).toBe(0);
    expect((await sidecar.send('GET', '/v1/leases/upload')).body).toMatchObject({ ttlSeconds: 1200, renewals: 1 });
    const { stdout, status } = await run('status');
    expect([status, stdout]).toEqual([0, `${String((await sidecar.send('GET', '/v1/lock')).body.summary)}\n`]);
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject({ state: 'held' });
    expect((await run('release', 'upload')).status).toBe(0);
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
    expect((await run('release', 'upload')).status).toBe(0);
    expect(await run('renew', 'upload')).toMatchObject({ status: 75, stderr: expect.stringContaining('"upload" has ended: released') as string });
  });

  test('acquire waits, and says who has the lock', async () => {
    sidecar.lockFiles.forEach(supervisorLocks);
    expect(await run('acquire', 'upload', '--wait', '0')).toMatchObject({ status: 75, stderr: expect.stringContaining('Supervisor') as string });
    const waiting = start(['acquire', 'upload', '--wait', '1h']);
    await sidecar.logged('request waits', { name: 'upload' });
    supervisorUnlocks(sidecar.lockFiles);
    expect((await waiting.result()).status).toBe(0);
  });

  test('wait-update says that there is no way to know, or that the sidecar is not there', async () => {
    for (const timeout of [[], ['--timeout', '0'], ['--timeout', '1h']]) {
      expect(await run('wait-update', ...timeout)).toMatchObject({ status: 69, stderr: expect.stringContaining('Supervisor') as string });
    }
    const gone = { UPDATE_LOCK_URL: `unix:${sidecar.folder}/none` };
    expect(await start(['wait-update', '--timeout', '0'], gone).result()).toMatchObject({ status: 69 });
  });

  test.each([
    [[], 'Usage'],
    [['frobnicate'], 'there is no command'],
    [['run'], 'needs a command'],
    [['run', '--on-lost', 'explode', '--', 'true'], 'term or warn'],
    [['run', '--wait'], 'needs a value'],
    [['run', '--wait', 'soon', '--', 'true'], 'a duration is'],
    [['run', '--wait', '1m1h', '--', 'true'], 'a duration is'],
    [['run', '--frobnicate', 'true'], 'no option --frobnicate'],
    [['run', '--name', '@start', '--', 'true'], 'letters'],
    [['run', '--name', '', '--', 'true'], 'letters'],
    [['acquire'], 'needs a name'],
    [['acquire', 'a', 'b'], 'one name'],
    [['acquire', 'a', '--no-wait'], 'no option'],
    [['acquire', 'a', '--ttl', '2d'], 'too long'],
    [['status', 'x'], 'takes no argument'],
    [['status', '--url', 'ftp://x'], "--url: 'ftp://x' is not the address of a sidecar; allowed are http://HOST:PORT, https://HOST:PORT and unix:/PATH"],
    [['--url', 'http://localhost:8080/v1', 'status'], "--url: 'http://localhost:8080/v1' is not the address"],
    [['--url=http://localhost:8080?x', 'status'], "--url: 'http://localhost:8080?x' is not the address"],
    [['--url'], 'needs a value'],
  ])('%j is a mistake, told as such', async (args, told) => {
    expect(await run(...args)).toMatchObject({ status: 64, stdout: '', stderr: expect.stringContaining(told) as string });
  });

  test('the token is in no list of processes', async () => {
    const secured = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_API_TOKEN: 'top-secret' } });
    const { port } = secured.tcpTarget as { port: number };
    const environment = { UPDATE_LOCK_URL: `http://127.0.0.1:${String(port)}`, UPDATE_LOCK_TOKEN: 'top-secret' };
    const child = start(['run', '--', 'sh', '-c', 'echo started; exec cat'], environment);
    await child.said('started');
    expect(commandLines()).not.toContain('top-secret');
    child.child.stdin?.end();
    expect((await child.result()).status).toBe(0);
  });
});

function commandLines(): string {
  return processes().map((pid) => readOf(pid, 'cmdline')).join('\n');
}

/** Processes whose environment has that text. */
function marked(text: string): string[] {
  return processes().filter((pid) => pid !== String(process.pid) && readOf(pid, 'environ').includes(`MARK=${text}`));
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function readOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
