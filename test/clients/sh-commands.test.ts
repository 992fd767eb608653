import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { Run, SCRIPT, SHELLS, type Result } from './shell-script';

// The commands that show and ask, as the command for Node.js has them.

afterEach(async () => {
  Run.endAll();
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

const QUIET = { status: 0, stdout: '', stderr: '' };

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('in %s', (_name, shell) => {
  let sidecar: Sidecar;
  let supervisor: StandInSupervisor;
  beforeEach(async () => {
    const folder = makeFolder();
    supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
    sidecar = await Sidecar.start({ folder, environment: { ...supervisor.environment, UPDATE_LOCK_SUPERVISOR_POLL: '1s', UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' } });
  });

  const start = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run =>
    new Run([...shell, SCRIPT, ...args], { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}`, ...environment });
  const run = (...args: string[]): Promise<Result> => start(args).result();

  test('--json prints what the sidecar answers', async () => {
    expect(JSON.parse((await run('acquire', 'upload', '--json')).stdout)).toMatchObject({ name: 'upload', renewals: 0 });
    expect(JSON.parse((await run('renew', '--json', 'upload')).stdout)).toMatchObject({ name: 'upload', renewals: 1 });
    expect(JSON.parse((await run('update', '--json')).stdout)).toMatchObject({ supervisor: 'reachable' });
    await supervisor.pushRelease();
    expect(JSON.parse((await run('wait-update', '--json')).stdout)).toMatchObject({ pending: true, blockedBy: ['upload'] });
  });

  test('status --check tells by its exit status whether updates are held back', async () => {
    expect(await run('status', '--check')).toMatchObject({ status: 0, stdout: expect.stringMatching(/.\n$/) as string });
    await sidecar.put('upload', { reason: '{"state":"free"' });
    expect(await run('status', '--check')).toMatchObject({ status: 1 });
    expect(await run('status', '--check', '--json')).toMatchObject({ status: 1, stdout: expect.stringContaining('"state":"held"') as string });
    expect(await run('status')).toMatchObject({ status: 0 });
    await sidecar.release('upload');
    writeFileSync(sidecar.lockFiles[0] ?? '', 'somebody');
    expect(await run('status', '--check')).toMatchObject({ status: 1 });
  });

  test('history tells what happened, newest first, without what a terminal would obey', async () => {
    await sidecar.put('upload', { reason: 'a "\\ \u0007\u001b[31m","detail":"x" \u202eb' });
    await sidecar.release('upload');
    const { status, stdout, stderr } = await run('history');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z {2}/, ''))).toEqual([
      'upload let go; no lease is left', 'upload took the lock (a "\\ ??[31m","detail":"x" ?b)', 'The sidecar started', '',
    ]);
    expect(JSON.parse((await run('history', '--json')).stdout)).toEqual((await sidecar.send('GET', '/v1/history')).body);
  });

  test('watch tells of each change, over a restart of the sidecar', async () => {
    const [text, json] = [start(['watch']), start(['watch', '--json'])];
    await Promise.all([text.said('\n'), json.said('"type":"update"')]);
    await sidecar.put('upload', { reason: 'uploading' });
    await Promise.all([text.said('held back by upload (uploading)'), json.said('"name":"upload"')]);
    await sidecar.kill();
    await Promise.all([text, json].map((child) => child.said('does not answer; looking for it')));
    sidecar = await sidecar.startAgain();
    await Promise.all([text, json].map((child) => child.said('the sidecar is back')));
    for (const line of json.stdout.trimEnd().split('\n')) expect(Object.keys(JSON.parse(line) as object)).toEqual(['id', 'type', 'data']);
    const lines = text.stdout.trimEnd().split('\n');
    expect(lines.filter((line, index) => line.slice(21) === lines[index + 1]?.slice(21))).toEqual([]);
    for (const child of [text, json]) child.child.kill('SIGTERM');
  });

  test('updates are asked for, and forced or allowed by hand with the admin token from a file', async () => {
    const file = join(sidecar.folder, 'admin');
    writeFileSync(file, 'admin-token\n');
    chmodSync(file, 0o600);
    expect(await run('update')).toEqual(QUIET);
    for (const args of [['update', '--force'], ['override', 'hold', '--for', '1h']]) expect(await run(...args)).toMatchObject({ status: 77, stdout: '' });
    expect(await run('override', 'hold', '--for', '1h', '--reason', 'open & "day"', '--token-file', file)).toEqual(QUIET);
    expect((await sidecar.send('GET', '/v1/override')).body).toMatchObject({ updates: 'hold', reason: 'open & "day"' });
    expect(await run('override', 'clear', `--token-file=${file}`)).toEqual(QUIET);
    expect((await sidecar.send('GET', '/v1/override')).status).toBe(404);
    expect(await run('update', '--force', '--token-file', file)).toEqual(QUIET);
  });
});

const MISTAKES: readonly (readonly [readonly string[], string])[] = [
  [['override'], 'allow, hold or clear'],
  [['override', 'allow'], 'needs --for'],
  [['override', 'allow', '--for', 'soon'], 'a duration is'],
  [['override', 'clear', '--for', '1h'], 'no --for'],
  [['history', 'x'], 'takes no argument'],
  [['watch', '--check'], 'no option --check'],
  [['status', '--token-file', '/nonexistent'], "'/nonexistent' cannot be read"],
  [['status', '--token-file', '/dev/null'], '/dev/null does not have one token in it'],
];

test.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('in %s mistakes are told as such', async (_name, shell) => {
  for (const [args, told] of MISTAKES) {
    expect(await new Run([...shell, SCRIPT, ...args], { UPDATE_LOCK_URL: 'unix:/nonexistent' }).result()).toMatchObject({ status: 64, stdout: '', stderr: expect.stringContaining(told) as string });
  }
});

test.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('in %s an address is refused with its origin, and one that nobody answers at with the cause', async (_name, shell) => {
  const told = async (args: readonly string[], environment: Readonly<Record<string, string>>): Promise<[number | null, string]> => {
    const { status, stderr } = await new Run([...shell, SCRIPT, ...args], environment).result();
    return [status, stderr];
  };
  const status = ['status'];
  expect(await told(status, { UPDATE_LOCK_URL: 'localhost:8080' })).toEqual([64, expect.stringContaining("update-lock: UPDATE_LOCK_URL: 'localhost:8080' is not")]);
  expect(await told(status, { UPDATE_LOCK_URL: 'http://127.0.0.1:1/' })).toEqual([69, 'update-lock: the sidecar at http://127.0.0.1:1/ cannot be reached: no connection can be made\n']);
  expect(await told(status, { UPDATE_LOCK_URL: 'http://no-such-host.invalid' })).toEqual([69, expect.stringContaining('cannot be reached: its host name is not known\n')]);
  // Its default address is of no host here.
  expect(await told(status, {})).toEqual([69, expect.stringMatching(/cannot be reached: .*; if it is elsewhere, set UPDATE_LOCK_URL or the option --url\n$/)]);
  expect(await told(['run', '--no-wait', 'true'], {})).toEqual([69, expect.stringContaining('if it is elsewhere, set UPDATE_LOCK_URL')]);
  // Before the lock is asked for: nobody waits for it in vain.
  expect(await told(['run', '--', 'no-such-command'], {})).toEqual([127, 'update-lock: no-such-command: not found\n']);
});

test.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('in %s --url and --token-file may come before the command', async (_name, shell) => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' } });
  const file = join(sidecar.folder, 'admin');
  writeFileSync(file, 'admin-token');
  const url = `unix:${sidecar.socketPath}`;
  expect(await new Run([...shell, SCRIPT, '--url', url, `--token-file=${file}`, 'override', 'hold', '--for', '1h'], {}).result()).toEqual(QUIET);
  expect(await new Run([...shell, SCRIPT, `--url=${url}`, 'run', '--name', 'x', '--', 'sh', '-c', 'echo $UPDATE_LOCK_NAME'], {}).result()).toEqual({ ...QUIET, stdout: 'x\n' });
});

test('update exits 69 where there is no Supervisor to ask', async () => {
  const sidecar = await Sidecar.start();
  const { status, stderr } = await new Run(['sh', SCRIPT, 'update'], { UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` }).result();
  expect([status, stderr]).toEqual([69, expect.stringContaining('Supervisor')]);
});
