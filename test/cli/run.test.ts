import { spawnSync } from 'node:child_process';
import { closeSync, constants as fsConstants, existsSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { supervisorForces, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { CLI, Command, type CommandOptions } from './command';

let sidecar: Sidecar;

beforeEach(async () => {
  sidecar = await Sidecar.start();
});

afterEach(async () => {
  await Command.cleanUp();
  await Sidecar.cleanUp();
});

function url(): string {
  return `unix:${sidecar.socketPath}`;
}

function start(args: readonly string[], options: CommandOptions = {}): Command {
  return Command.start(['run', ...args], { url: url(), ...options });
}

function run(args: readonly string[], options: CommandOptions = {}): ReturnType<typeof Command.run> {
  return Command.run(['run', ...args], { url: url(), ...options });
}

async function leases(): Promise<{ name: string; reason: string; kind: string }[]> {
  return (await sidecar.send('GET', '/v1/leases')).body.leases;
}

/** A script that says it runs and waits for what may happen. */
const WAITING = 'echo running; while :; do sleep 0.01; done';

describe('while the command runs', () => {
  test('the lock is held under the name and for the reason given', async () => {
    const command = start(['--name', 'work', '--reason', 'a reason', '--', 'sh', '-c', 'echo running; read line']);
    await command.writes(/running/);
    expect(await leases()).toMatchObject([{ name: 'work', reason: 'a reason', kind: 'connection' }]);
    expect(supervisorLocks(sidecar.lockFiles[0] ?? '')).toBe(false);
    command.process.stdin?.end('\n');
    expect(await command.exited()).toBe(0);
    expect(await leases()).toEqual([]);
    expect(existsSync(sidecar.lockFiles[0] ?? '')).toBe(false);
  });

  test('two of one program have different names, which say what they are', async () => {
    const commands = [start(['sleep', '1000']), start(['sleep', '1000'])];
    await until(async () => (await leases()).length === 2);
    for (const { name } of await leases()) expect(name).toMatch(/^sleep-/);
    for (const command of commands) command.kill('SIGTERM');
    for (const command of commands) expect(await command.exited()).toBe(143);
  });

  test('it finds the name in its environment, which is otherwise as it was', async () => {
    const { stdout } = await run(['--name', 'work', 'env'], { environment: { UPDATE_LOCK_TOKEN: 'secret', ODD: 'a\nb=c' } });
    const inner = stdout.replace('a\nb=c', '').split('\n').filter((line) => line !== '').sort();
    expect(inner).toEqual(['ODD=', `PATH=${process.env['PATH'] ?? ''}`, 'TZ=UTC', 'UPDATE_LOCK_HELD=1', 'UPDATE_LOCK_NAME=work', 'UPDATE_LOCK_TOKEN=secret', `UPDATE_LOCK_URL=${url()}`]);
  });

  test('options after it are its own', async () => {
    expect((await run(['echo', '--name', 'x', '--', '--help'])).stdout).toBe('--name x -- --help\n');
    expect((await run(['--', 'printf', '%s', '--wait'])).stdout).toBe('--wait');
  });

  test('its input and outputs are those that we were given, others too', async () => {
    const file = join(sidecar.folder, 'file');
    const fd = openSync(file, 'w');
    const lock = openSync(file, 'r');
    const command = start(['sh', '-c', 'cat; echo error >&2; echo nine >&5; readlink /proc/self/fd/4'], { stdio: ['pipe', 'pipe', 'pipe', 'ignore', lock, fd] });
    command.process.stdin?.end('input');
    expect(await command.closed()).toBe(0);
    closeSync(fd);
    closeSync(lock);
    expect(command.stdout).toBe(`input${file}\n`);
    expect(command.stderr).toBe('error\n');
    expect(readFileSync(file, 'utf8')).toBe('nine\n');
  });

  test('its inputs from processes work', () => {
    const script = `${process.execPath} ${CLI} run -- diff <(echo same) <(echo same) 7< <(echo seven) && ${process.execPath} ${CLI} run -- cat /dev/fd/7 7< <(echo seven)`;
    const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { ...process.env, UPDATE_LOCK_URL: url() } });
    expect({ stdout, stderr, status }).toEqual({ stdout: 'seven\n', stderr: '', status: 0 });
  });

  test('a pipe that it shares with us stays blocking', async () => {
    const { stdout } = await run(['sh', '-c', 'grep flags /proc/self/fdinfo/1 /proc/self/fdinfo/2'], { wrapper: ['sh', '-c', '"$@" 2>&1 | cat', 'sh'] });
    for (const [, flags] of stdout.matchAll(/flags:\s*(\d+)/g)) expect(parseInt(flags ?? '', 8) & fsConstants.O_NONBLOCK).toBe(0);
    expect(stdout).toMatch(/flags/);
  });

  test('the lock is given back when it ends, whatever it has left behind', async () => {
    const command = start(['--name', 'work', 'sh', '-c', 'sleep 1000 & echo left-$!-']);
    const [, pid] = await command.writes(/left-(\d+)-/);
    expect(await command.exited()).toBe(0);
    expect(await leases()).toEqual([]);
    process.kill(Number(pid));
  });
});

describe('exits', () => {
  test.each([0, 1, 64, 75, 255])('%i as the command', async (exit) => {
    expect(await run(['sh', '-c', `exit ${String(exit)}`])).toEqual({ exit, stdout: '', stderr: '' });
  });

  test.each(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGUSR1', 'SIGABRT'] as const)('128 and the number of %s if that ended it', async (signal) => {
    const { exit } = await run(['sh', '-c', `ulimit -c 0; kill -${signal.slice(3)} $$`]);
    expect(exit).toBe(128 + constants.signals[signal]);
  });

  test('127 for one that is not there, 126 for one that cannot be run', async () => {
    writeFileSync(join(sidecar.folder, 'not-executable'), '');
    expect(await run(['--', 'no-such-command'])).toEqual({ exit: 127, stdout: '', stderr: 'update-lock: no-such-command: not found\n' });
    expect(await run(['--', ''])).toMatchObject({ exit: 127 });
    expect(await run(['--', join(sidecar.folder, 'not-executable')])).toMatchObject({ exit: 126, stderr: expect.stringContaining('permission denied') as string });
    expect(await run(['--', sidecar.folder])).toMatchObject({ exit: 126 });
    expect(await run(['--', join(sidecar.folder, 'not-executable/x')])).toMatchObject({ exit: 126 });
    expect(await leases()).toEqual([]);
  });

  test('127 before the lock is asked for, so that nobody waits for it in vain', async () => {
    const nowhere = { url: `unix:${sidecar.folder}/nowhere` };
    for (const missing of ['no-such-command', './no-such-command', join(sidecar.folder, 'missing')]) {
      expect(await run(['--no-wait', '--', missing], nowhere)).toEqual({ exit: 127, stdout: '', stderr: `update-lock: ${missing}: not found\n` });
    }
  });

  test('75 if the lock cannot be had, without having started the command', async () => {
    writeFileSync(sidecar.lockFiles[0] ?? '', 'somebody');
    expect(await run(['--no-wait', 'echo', 'never'])).toMatchObject({ exit: 75, stdout: '', stderr: expect.stringMatching(/^update-lock: .*\n$/) as string });
    expect(await run(['--wait', '50ms', 'echo', 'never'])).toMatchObject({ exit: 75, stdout: '' });
  });

  test('75 if somebody has the name', async () => {
    await sidecar.put('work');
    const { exit, stdout, stderr } = await run(['--name', 'work', 'echo', 'never']);
    expect([exit, stdout]).toEqual([75, '']);
    expect(stderr).toMatch(/^update-lock: The name "work" is in use by a lease for a time, which ends in (?:5m|4m\d+s) unless it is renewed; choose another name\.\n$/);
  });

  test('69 if there is no sidecar', async () => {
    const nowhere = { url: `unix:${sidecar.folder}/nowhere` };
    expect(await run(['--no-wait', 'echo', 'never'], nowhere)).toMatchObject({ exit: 69, stdout: '', stderr: expect.stringContaining(`${sidecar.folder}/nowhere`) as string });
    expect(await run(['--wait', '100ms', 'echo', 'never'], nowhere)).toMatchObject({ exit: 69, stdout: '' });
  });

  test('77 without the token', async () => {
    const guarded = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_API_TOKEN: 'right' } });
    const { port } = guarded.tcpTarget as { port: number };
    const there = { url: `http://127.0.0.1:${String(port)}` };
    expect(await run(['echo', 'never'], there)).toMatchObject({ exit: 77, stdout: '' });
    expect(await run(['echo', 'held'], { ...there, environment: { UPDATE_LOCK_TOKEN: 'right' } })).toEqual({ exit: 0, stdout: 'held\n', stderr: '' });
  });
});

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGWINCH', 'SIGCONT', 'SIGURG'] as const)('%s is passed on', async (signal) => {
    const command = start(['sh', '-c', `trap "echo caught; exit 9" ${signal.slice(3)}; ${WAITING}`]);
    await command.writes(/running/);
    command.kill(signal);
    expect(await command.exited()).toBe(9);
    expect(command.stdout).toBe('running\ncaught\n');
  });

  test('one that the command does not mind is not the end of us', async () => {
    const command = start(['sh', '-c', `trap "echo caught" TERM; ${WAITING}`]);
    await command.writes(/running/);
    command.kill('SIGTERM');
    await command.writes(/caught/);
    expect(await leases()).toHaveLength(1);
    command.kill('SIGHUP');
    expect(await command.exited()).toBe(129);
  });

  test('a command that somebody stops away from a terminal can be continued without us', async () => {
    const command = start(['sh', '-c', 'echo pid-$$-; read line; exit 3']);
    const pid = Number((await command.writes(/pid-(\d+)-/))[1]);
    process.kill(pid, 'SIGSTOP');
    await until(() => isStopped(pid));
    process.kill(pid, 'SIGCONT');
    command.process.stdin?.end('\n');
    expect(await command.exited()).toBe(3);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGUSR1'] as const)('%s while the lock is waited for ends us at once, and nothing is taken', async (signal) => {
    writeFileSync(sidecar.lockFiles[0] ?? '', 'somebody');
    const command = start(['--name', 'work', 'echo', 'never']);
    await command.writes(/waiting for the lock/, 'stderr');
    command.kill(signal);
    expect(await command.exited()).toBe(128 + constants.signals[signal]);
    unlinkSync(sidecar.lockFiles[0] ?? '');
    await until(async () => (await sidecar.send('GET', '/v1/lock')).body.state === 'free');
    expect(command.stdout).toBe('');
  });

  test('SIGKILL ends the lease, and the command goes on', async () => {
    const command = start(['--name', 'work', 'sh', '-c', 'echo pid-$$-; while :; do sleep 0.01; done']);
    const pid = Number((await command.writes(/pid-(\d+)-/))[1]);
    command.kill('SIGKILL');
    await until(async () => (await leases()).length === 0);
    expect(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')).not.toBe('');
    process.kill(pid, 'SIGKILL');
  });

  test('SIGKILL ends a command that asked for that', async () => {
    const command = start(['setpriv', '--pdeathsig', 'TERM', 'sh', '-c', 'echo pid-$$-; while :; do sleep 0.01; done']);
    const pid = Number((await command.writes(/pid-(\d+)-/))[1]);
    command.kill('SIGKILL');
    await until(() => !existsSync(`/proc/${String(pid)}`));
  });
});

describe('while the lock cannot be had', () => {
  test('it is waited for, in silence at first, then saying why', async () => {
    expect(supervisorLocks(sidecar.lockFiles[0] ?? '')).toBe(true);
    const command = start(['echo', 'started']);
    await command.writes(/^update-lock: waiting for the lock\. .*\n$/, 'stderr');
    expect(command.stdout).toBe('');
    supervisorUnlocks([sidecar.lockFiles[0] ?? '']);
    expect(await command.closed()).toBe(0);
    expect(command.stdout).toBe('started\n');
  });

  test('a sidecar that is not there yet is waited for', async () => {
    const folder = makeFolder();
    const command = start(['echo', 'started'], { url: `unix:${folder}/update-lock.sock` });
    await command.writes(/waiting for the sidecar at unix:/, 'stderr');
    await Sidecar.start({ folder });
    expect(await command.closed()).toBe(0);
    expect(command.stdout).toBe('started\n');
  });
});

describe('when the lock is lost', () => {
  const STUBBORN = 'trap "echo termed" TERM; echo running; while :; do sleep 0.01; done';

  test('the command goes on, and we say so', async () => {
    const command = start(['--name', 'work', 'sh', '-c', 'echo running; read line; exit 4']);
    await command.writes(/running/);
    supervisorForces(sidecar.lockFiles);
    await command.writes(/^update-lock: the lock is lost, and the command goes on without it: .*lost.*\n$/, 'stderr');
    command.process.stdin?.end('\n');
    expect(await command.exited()).toBe(4);
  });

  test('with --on-lost term the command is ended, and we exit 75', async () => {
    const command = start(['--on-lost', 'term', 'sh', '-c', 'trap "echo termed; exit 0" TERM; echo running; while :; do sleep 0.01; done']);
    await command.writes(/running/);
    supervisorForces(sidecar.lockFiles);
    expect(await command.closed()).toBe(75);
    expect(command.stdout).toBe('running\ntermed\n');
    expect(command.stderr).toMatch(/^update-lock: the lock is lost, and the command is ended: .*\n$/);
  });

  test('one that does not end then is killed', async () => {
    const command = start(['--on-lost=term', 'sh', '-c', STUBBORN]);
    await command.writes(/running/);
    supervisorForces(sidecar.lockFiles);
    await command.writes(/termed/);
    expect(await command.exited()).toBe(75);
  });
});

describe('when the sidecar restarts', () => {
  test('the command does not notice', async () => {
    const command = start(['--name', 'work', '--on-lost', 'term', 'sh', '-c', 'echo running; read line; exit 5']);
    await command.writes(/running/);
    await sidecar.kill('SIGKILL');
    sidecar = await sidecar.startAgain();
    await until(async () => (await leases()).some(({ name }) => name === 'work'));
    expect(supervisorLocks(sidecar.lockFiles[0] ?? '')).toBe(false);
    command.process.stdin?.end('\n');
    expect(await command.closed()).toBe(5);
    expect(command.stderr).toBe('');
    await until(async () => (await leases()).length === 0);
  });

  test('one that ends while the sidecar is away exits as it did', async () => {
    const command = start(['sh', '-c', 'echo running; read line; exit 5']);
    await command.writes(/running/);
    await sidecar.kill('SIGKILL');
    command.process.stdin?.end('\n');
    expect(await command.exited()).toBe(5);
  });
});

function isStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')')).startsWith(') T');
}
