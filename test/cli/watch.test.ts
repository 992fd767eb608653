/* eslint-disable no-control-regex */
import { execFileSync } from 'node:child_process';
import { supervisorForces } from '../support/readers';
import { Sidecar } from '../support/sidecar';
import { Command } from './command';
import { KEYS, Terminal } from './terminal';

/** The shell's, on the screen that was given back. */
const PROMPT = /\x1b\[\?25h\x1b\[\?1049l[^]*\$ /;

let sidecar: Sidecar;

beforeEach(async () => {
  sidecar = await Sidecar.start();
});

afterEach(async () => {
  await Terminal.cleanUp();
  await Command.cleanUp();
  await Sidecar.cleanUp();
});

function url(): string {
  return `unix:${sidecar.socketPath}`;
}

describe('piped', () => {
  test('a line for each event', async () => {
    const command = Command.start(['watch'], { url: url() });
    await command.writes(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}lock {4}free: .*$/m);
    await sidecar.put('recorder', { ttl: '5m', reason: 'recording\u001b[2J' });
    await command.writes(/lease {3}recorder held \(recording\uFFFD\[2J\) since .*, until .*\n/);
    await sidecar.put('recorder', { ttl: '5m', reason: 'recording' });
    await command.writes(/lease {3}recorder renewed .*\n/);
    await sidecar.release('recorder');
    await command.writes(/lease {3}recorder released .*\n/);
    supervisorForces(sidecar.lockFiles);
    command.kill('SIGTERM');
    expect(await command.closed()).toBe('SIGTERM');
    expect(command.stderr).toBe('');
  });

  test('with --json a document for each', async () => {
    const command = Command.start(['watch', '--json'], { url: url() });
    await sidecar.put('recorder');
    await command.writes(/"type":"lease".*\n/);
    const events = command.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ id: expect.any(String), type: 'lock', data: { snapshot: true } });
    for (const event of events) expect(Object.keys(event)).toEqual(['id', 'type', 'data']);
  });

  test('a sidecar that restarts is found again', async () => {
    const command = Command.start(['watch'], { url: url() });
    await command.writes(/lock .*\n/);
    await sidecar.kill();
    await command.writes(/the sidecar at unix:.* does not answer; looking for it\n/, 'stderr');
    sidecar = await sidecar.startAgain();
    await command.writes(/the sidecar is back\n/, 'stderr');
    await sidecar.put('recorder');
    await command.writes(/lease {3}recorder held/);
  });

  test('it ends quietly when nobody reads any more', async () => {
    const command = Command.start(['watch'], { url: url(), wrapper: ['bash', '--norc', '-c', 'set -o pipefail; "$@" | head -n 1', 'bash'] });
    await command.writes(/lock .*\n/);
    await sidecar.put('recorder');
    await sidecar.put('recorder');
    await sidecar.release('recorder');
    expect(await command.closed()).toBe(0);
    expect(command.stderr).toBe('');
  });
});

describe('on a terminal', () => {
  test('a view that follows, and gives the terminal back', async () => {
    const terminal = await Terminal.open(url());
    terminal.type('update-lock watch\n');
    await terminal.shows(/\x1b\[\?1049h/);
    await terminal.shows(/Nothing holds back updates/);
    await sidecar.put('recorder', { ttl: '5m', reason: 'recording' });
    await terminal.shows(/Updates are held back/);
    await terminal.shows(/recorder.*recording/s);
    await sidecar.kill();
    await terminal.shows(/The sidecar does not answer since/);
    sidecar = await sidecar.startAgain();
    await terminal.shows(/the sidecar is back/);
    terminal.type(KEYS.suspend);
    await terminal.shows(/\x1b\[\?25h\x1b\[\?1049l/);
    await terminal.shows(/Stopped/);
    terminal.type('fg\n');
    await terminal.shows(/\x1b\[\?1049h/);
    await terminal.shows(/recorder/);
    terminal.type(KEYS.interrupt);
    await terminal.shows(PROMPT);
    expect(await terminal.status()).toBe(130);
    terminal.type('stty -a\n');
    await terminal.shows(/isig icanon/);
  });

  test('it is drawn anew when the size changes, and q ends it', async () => {
    const terminal = await Terminal.open(url());
    terminal.type('tty\n');
    const [, tty = ''] = await terminal.shows(/(\/dev\/pts\/\d+)/);
    terminal.type('update-lock watch\n');
    await terminal.shows(/Nothing holds back updates/);
    execFileSync('stty', ['-F', tty, 'cols', '30', 'rows', '10']);
    await terminal.shows(/update-l…/);
    terminal.type('q');
    await terminal.shows(PROMPT);
    expect(await terminal.status()).toBe(0);
  });

  test('without colour if that is not wanted', async () => {
    const terminal = await Terminal.open(url(), { NO_COLOR: '1' });
    terminal.type('update-lock status\n');
    await terminal.shows(/\nNothing holds back updates\r/);
    terminal.type('unset NO_COLOR; update-lock status\n');
    await terminal.shows(/\x1b\[32mNothing holds back updates/);
  });
});
