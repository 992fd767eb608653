import { parseArguments } from '../../client/src/cli/arguments';
import { COMMANDS } from '../../client/src/cli/command-table';
import { commandHelp, generalHelp } from '../../client/src/cli/help';
import { UsageError } from '../../client/src/cli/usage-error';
import { Command } from './command';

afterEach(() => Command.cleanUp());

function parsed(line: string): unknown {
  const invocation = parseArguments(line.split(' ').filter((word) => word !== ''));
  return 'command' in invocation ? { ...invocation, command: invocation.command?.name } : invocation;
}

test.each<[string, Record<string, string | true>, string[]]>([
  ['run true', {}, ['true']],
  ['run true -- --name x', {}, ['true', '--', '--name', 'x']],
  ['run -- true --name x', {}, ['true', '--name', 'x']],
  ['run -- -- true', {}, ['--', 'true']],
  ['-- run -- true', {}, ['true']],
  ['--url unix:/x run true', { url: 'unix:/x' }, ['true']],
  ['run --name a --reason=b --wait 5m --on-lost term cmd -x -- y', { name: 'a', reason: 'b', wait: '5m', 'on-lost': 'term' }, ['cmd', '-x', '--', 'y']],
  ['run --no-wait -- -x', { 'no-wait': true }, ['-x']],
])('%s', (line, options, operands) => {
  expect(parsed(line)).toEqual({ kind: 'run', options, operands });
});

test.each<[string, string, Record<string, string | true>, string[]]>([
  ['--url unix:/x acquire a --ttl 90', 'acquire', { url: 'unix:/x', ttl: '90' }, ['a']],
  ['acquire --ttl=1h30m a', 'acquire', { ttl: '1h30m' }, ['a']],
  ['release -- a', 'release', {}, ['a']],
  ['wait-update --timeout 0', 'wait-update', { timeout: '0' }, []],
  ['override allow --for 1h --reason agreed', 'override', { for: '1h', reason: 'agreed' }, ['allow']],
  ['status --json --url http://x', 'status', { json: true, url: 'http://x' }, []],
])('%s', (line, name, options, operands) => {
  expect(parsed(line)).toEqual({ kind: 'command', name, options, operands });
});

test('help is asked for in every way that people try', () => {
  for (const line of ['--help', '-h', 'help']) expect(parsed(line)).toEqual({ kind: 'help', command: undefined });
  for (const line of ['run --help', 'run -h true', 'help run']) expect(parsed(line)).toEqual({ kind: 'help', command: 'run' });
  expect(parsed('run true --help')).toMatchObject({ kind: 'run' });
  expect(parsed('--version')).toMatchObject({ kind: 'version' });
});

test.each([
  ['', 'which command?'],
  ['stauts', "there is no command 'stauts'"],
  ['help relase', "there is no command 'relase'"],
  ['--jsn status', "update-lock has no option '--jsn'"],
  ['status --jsn', "status has no option '--jsn'"],
  ['status -j', "status has no option '-j'"],
  ['run --wiat 5 x', "run has no option '--wiat'"],
  ['run', 'run which command?'],
  ['run --name a', 'run which command?'],
  ['run --wait 5m --no-wait x', '--wait and --no-wait exclude each other'],
  ['run --wait x true', "--wait: 'x' is not a duration; allowed is a number of seconds, or 500ms, 90s, 5m, 1h30m, 1d"],
  ['run --on-lost kill x', "--on-lost: 'kill' is not one of term, warn"],
  ['run --name --reason x', '--name needs a value: --name=N'],
  ['run --name', '--name needs a value: --name=N'],
  ['run --name @x true', "'@x': names beginning with @ are the sidecar's own"],
  ['run --no-wait=yes x', '--no-wait takes no value'],
  ['acquire', 'acquire which NAME?'],
  ['acquire a b', "acquire takes one NAME: what is 'b'?"],
  ['acquire a/b', "'a/b' cannot be a lease's name: 1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit"],
  ['status x', "status takes no 'x'"],
  ['override', 'override allow, hold or clear?'],
  ['override alow --for 1h', "override takes allow, hold or clear, not 'alow'"],
  ['override hold --for soon', "--for: 'soon' is not a duration; allowed is a number of seconds, or 500ms, 90s, 5m, 1h30m, 1d"],
  ['override hold 1h', "override takes one ACTION: what is '1h'?"],
  ['completion fish', "there is completion for bash and zsh, not for 'fish'"],
])("'%s' is refused: %s", (line, message) => {
  expect(() => parsed(line)).toThrow(new UsageError(message));
});

test('help fits a screen of 80 by 24', () => {
  for (const text of [generalHelp(), ...COMMANDS.map(commandHelp)]) {
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(24);
    for (const line of lines) expect([line, line.length <= 80]).toEqual([line, true]);
  }
});

test('a mistake exits 64 and asks nobody', async () => {
  const { exit, stdout, stderr } = await Command.run(['acquire', 'x', '--ttl', '5x'], { url: 'http://127.0.0.1:1' });
  expect([exit, stdout]).toEqual([64, '']);
  expect(stderr).toMatch(/^update-lock: --ttl: '5x' is not a duration.*\nupdate-lock: see update-lock acquire --help\n$/);
});

test.each(['ftp://x', 'localhost:8080', 'http://localhost:8080/v1', 'http://localhost:8080?x', 'unix:x.sock'])('%s is refused as the address, with its origin', async (url) => {
  const why = `${JSON.stringify(url)} is not the address of a sidecar; allowed are http://HOST:PORT, https://HOST:PORT and unix:/PATH\n`;
  expect(await Command.run(['status'], { url })).toEqual({ exit: 64, stdout: '', stderr: `update-lock: UPDATE_LOCK_URL: ${why}` });
  expect(await Command.run(['status', '--url', url])).toEqual({ exit: 64, stdout: '', stderr: `update-lock: --url: ${why}` });
});

test('help says what a command is for by itself, and only options that it uses', () => {
  for (const command of COMMANDS) expect(`${command.summary} ${command.notes.join(' ')}`).not.toMatch(/\bthe same\b/);
  const [completion, status] = ['completion', 'status'].map((name) => COMMANDS.filter((command) => command.name === name).map(commandHelp).join(''));
  expect(completion).not.toContain('--url');
  expect(status).toContain('--url');
});

test('help and version go to standard output', async () => {
  expect(await Command.run(['--version'])).toEqual({ exit: 0, stdout: expect.stringMatching(/^update-lock \d+\.\d+\.\d+\n$/) as string, stderr: '' });
  expect(await Command.run(['run', '--help'])).toMatchObject({ exit: 0, stdout: expect.stringContaining('Usage: update-lock run') as string, stderr: '' });
});
