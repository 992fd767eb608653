/* eslint-disable no-control-regex */
import { supervisorForces } from '../support/readers';
import { Sidecar } from '../support/sidecar';
import { Command } from './command';
import { KEYS, Terminal } from './terminal';

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
  test('it is cleared, and shows what status prints, at every event', async () => {
    const terminal = await Terminal.open(url());
    terminal.type('update-lock watch\n');
    await terminal.shows(/\x1b\[H\x1b\[2J[^]*Nothing holds back updates/);
    await sidecar.put('recorder', { ttl: '5m', reason: 'recording' });
    await terminal.shows(/\x1b\[H\x1b\[2J[^]*Updates are held back[^]*recorder[^]*recording/);
    await sidecar.release('recorder');
    await terminal.shows(/\x1b\[H\x1b\[2J[^]*Nothing holds back updates/);
    await sidecar.kill();
    await terminal.shows(/the sidecar at unix:.* does not answer; looking for it/);
    sidecar = await sidecar.startAgain();
    await terminal.shows(/the sidecar is back/);
    await sidecar.put('recorder');
    await terminal.shows(/\x1b\[H\x1b\[2J[^]*Updates are held back/);
    terminal.type(KEYS.interrupt);
    expect(await terminal.status()).toBe(130);
  });

  test('without colour if that is not wanted', async () => {
    const terminal = await Terminal.open(url(), { NO_COLOR: '1' });
    terminal.type('update-lock status\n');
    await terminal.shows(/\nNothing holds back updates\r/);
    terminal.type('unset NO_COLOR; update-lock status\n');
    await terminal.shows(/\x1b\[32mNothing holds back updates/);
  });
});
