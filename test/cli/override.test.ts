import { Sidecar } from '../support/sidecar';
import { Command } from './command';
import { Terminal } from './terminal';

let sidecar: Sidecar;

afterEach(async () => {
  await Command.cleanUp();
  await Terminal.cleanUp();
  await Sidecar.cleanUp();
});

async function start(settings: Record<string, string> = {}): Promise<void> {
  sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_WINDOWS: 'never', UPDATE_LOCK_ADMIN_TOKEN: 'admin', ...settings } });
}

function ask(args: readonly string[], token = 'admin'): ReturnType<typeof Command.run> {
  return Command.run(['override', ...args], { url: `unix:${sidecar.socketPath}`, environment: { UPDATE_LOCK_TOKEN: token } });
}

async function lockOf(): Promise<unknown> {
  return (await sidecar.send('GET', '/v1/lock')).body;
}

const QUIET = { exit: 0, stdout: '', stderr: '' };

test('updates are allowed, held, and left to the windows again', async () => {
  await start();
  expect(await ask(['allow', '--for', '1h', '--reason', 'agreed with the shop'])).toEqual(QUIET);
  expect(await lockOf()).toMatchObject({ state: 'free', override: { updates: 'allow', reason: 'agreed with the shop' } });
  expect(await ask(['hold', '--for=30m'])).toEqual(QUIET);
  expect(await lockOf()).toMatchObject({ state: 'held', override: { updates: 'hold', reason: '' } });
  const { stdout } = await Command.run(['status'], { url: `unix:${sidecar.socketPath}` });
  expect(stdout).toMatch(/^By hand updates are held until (?:\S+ )?\d\d:\d\d \(in (?:30|29) min.*\)$/m);
  expect(await ask(['clear'])).toEqual(QUIET);
  expect(await lockOf()).toMatchObject({ state: 'held', override: null });
  expect(await ask(['clear'])).toEqual(QUIET);
});

test('the commands that status advises let updates through', async () => {
  await start();
  await sidecar.put('demo');
  await ask(['hold', '--for', '1h']);
  const { stdout } = await Command.run(['status'], { url: `unix:${sidecar.socketPath}` });
  expect(stdout).toMatch(/^Updates are held back, since .*, until somebody allows them$/m);
  expect(stdout).toMatch(/^ {2}@window .*, until somebody allows updates +nobody has allowed updates$/m);
  const [, advice = ''] = /to let updates through now, with the admin token: (.*)$/m.exec(stdout) ?? [];
  const commands = advice.split(' && ').map((command) => command.split(' ').slice(1));
  expect(commands).toEqual([['release', 'demo'], ['override', 'allow', '--for', '1h']]);
  for (const args of commands) {
    expect(await Command.run(args, { url: `unix:${sidecar.socketPath}`, environment: { UPDATE_LOCK_TOKEN: 'admin' } })).toEqual(QUIET);
  }
  expect(await lockOf()).toMatchObject({ state: 'free' });
});

test('a terminal is told', async () => {
  await start();
  const terminal = await Terminal.open(`unix:${sidecar.socketPath}`, { UPDATE_LOCK_TOKEN: 'admin' });
  terminal.type('update-lock override hold --for 2h\n');
  await terminal.shows(/updates are held by hand, until (?:\S+ )?\d\d:\d\d \(in (?:2 h|1 h 59 min)\)/);
});

test('without the admin token it exits 77, and says what to do', async () => {
  await start();
  const stderrOf = async (token: string): Promise<string[]> => {
    const { exit, stdout, stderr } = await ask(['allow', '--for', '1h'], token);
    expect([exit, stdout]).toEqual([77, '']);
    return stderr.split('\n').slice(0, -1);
  };
  const advice = 'update-lock: set UPDATE_LOCK_TOKEN, or use --token-file FILE';
  expect(await stderrOf('')).toEqual(['update-lock: An override needs the admin token, as "Authorization: Bearer".', advice]);
  expect(await stderrOf('amdin')).toEqual(['update-lock: An override needs the admin token, and the token that was sent is not the admin token.', advice]);
  expect(await ask(['clear'], 'amdin')).toMatchObject({ exit: 77 });
  expect(await lockOf()).toMatchObject({ override: null });
});

test('a sidecar without an admin token says so', async () => {
  sidecar = await Sidecar.start();
  // Another token of the client's would not help.
  expect(await ask(['allow', '--for', '1h'])).toEqual({
    exit: 77,
    stdout: '',
    stderr: 'update-lock: An override needs the admin token, and the sidecar has none: UPDATE_LOCK_ADMIN_TOKEN is not set.\n',
  });
});

test.each([
  [['allow'], 'override allow for how long? --for=D'],
  [['clear', '--for', '1h'], 'override clear takes no --for'],
  [['clear', '--reason', 'x'], 'override clear takes no --reason'],
])('%j exits 64, and asks nobody', async (args, message) => {
  const { exit, stderr } = await Command.run(['override', ...args], { url: 'http://127.0.0.1:1' });
  expect([exit, stderr]).toEqual([64, `update-lock: ${message}\nupdate-lock: see update-lock override --help\n`]);
});

test.each([['31d', 'too long'], ['0', 'too short']])('--for %s is refused as %s', async (forHowLong, why) => {
  await start();
  expect(await ask(['hold', '--for', forHowLong])).toMatchObject({ exit: 64, stderr: expect.stringMatching(new RegExp(`^update-lock: --for: "${forHowLong}" is ${why}`)) as string });
});
