import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answer, jsonAnswer, ScriptedServer, streamHead, type ScriptedRequest } from '../support/scripted-server';
import { until } from '../support/until';
import { hurriedScript, Run, SHELLS } from './shell-script';

// How the shell client knows its lease again after the connection broke.

type Lease = Readonly<Record<string, string>>;
const OURS = { id: 'b7f3', name: 'recorder', kind: 'connection', since: '2026-01-01T00:00:00.000Z' };
const OLD = { name: 'recorder', kind: 'connection', since: '2026-01-01T00:00:00.000Z' };
const MOVED = '2026-06-01T00:00:00.000Z';
const DRAINING = `${JSON.stringify({ event: 'draining', endsInSeconds: 60 })}\n`;
const GONE = jsonAnswer({ code: 'precondition-failed', detail: 'Another lease has the name.' }, 412);

afterEach(async () => {
  Run.endAll();
  await ScriptedServer.cleanUp();
});

function held(lease: Lease): string {
  return `${streamHead('application/x-ndjson')}${JSON.stringify({ event: 'held', lease })}\n`;
}

/** Grants a hold, breaks its connection, and answers the attempts to take it up with these in turn, the last one again and again. */
async function breakingServer(first: Lease, ...answers: readonly string[]): Promise<ScriptedServer> {
  let attempts = 0;
  return ScriptedServer.start(({ method, socket }) => {
    if (method === 'DELETE') {
      socket.end(jsonAnswer(first));
      return;
    }
    const text = attempts === 0 ? held(first) : (answers[Math.min(attempts, answers.length) - 1] ?? '');
    attempts += 1;
    socket.write(text);
    if (attempts === 1 || !text.includes('"held"')) socket.end();
  });
}

const ifMatch = ({ headers }: ScriptedRequest): string | undefined => headers['if-match'];

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('in %s', (_name, shell) => {
  const hold = (server: ScriptedServer, { graceSeconds = 2, path = '' } = {}): Run => {
    const script = hurriedScript(server.folder, { GRACE_SECONDS: graceSeconds, TICK_SECONDS: 1, SILENT_TICKS: 1, RETRY_SECONDS: 0 });
    const command = [...shell, script, 'run', '--name', 'recorder', '--on-lost', 'term', '--', 'sh', '-c', 'echo started; exec cat'];
    return new Run(command, { UPDATE_LOCK_URL: server.url, PATH: `${path}${process.env['PATH'] ?? ''}` });
  };

  test('it takes up its lease by its id, whatever stands in between for a while, and releases it by its id', async () => {
    const nuisances = [answer(502, 'text/html', '<html>'), answer(412, 'text/html', '<html>'), answer(404, 'text/plain', 'no'), 'junk\r\n', '', jsonAnswer({ code: 'name-in-use', detail: 'In use.' }, 409)];
    const server = await breakingServer(OURS, ...nuisances, held({ ...OURS, since: MOVED }));
    const child = hold(server, { graceSeconds: 60 });
    await until(() => server.requests.length === nuisances.length + 2, 30_000);
    child.child.stdin?.end();
    expect(await child.result()).toEqual({ status: 0, stdout: 'started\n', stderr: '' });
    expect(server.requests.map(ifMatch)).toEqual([undefined, ...nuisances.map(() => '"b7f3"'), '"b7f3"', '"b7f3"']);
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/leases/recorder' });
  }, 60_000);

  test.each([
    ['that it has ended', GONE, 'Another lease has the name.'],
    ['of another lease', held({ ...OURS, id: 'c0de' }), 'did not keep it'],
    ['nothing but errors that are not JSON', answer(500, 'text/html', '<html>'), 'answered with status 500'],
    ['nothing', '', 'cannot be reached'],
  ])('--on-lost term ends COMMAND when the lease is not to be had again: it is told %s', async (_what, text, told) => {
    const server = await breakingServer(OURS, text);
    const child = hold(server);
    expect(await child.result()).toMatchObject({ status: 75, stderr: expect.stringMatching(`the lock is lost .*${told}.*: ending the command`) as string });
  }, 60_000);

  test('an answer that never comes is given up, also while the lease is taken up again', async () => {
    const server = await ScriptedServer.start(({ socket }) => {
      if (server.requests.length === 1) socket.end(held(OURS));
    });
    expect(await hold(server).result()).toMatchObject({ status: 75 });
  }, 60_000);

  test('a connection that says nothing for more than two heartbeats is dead', async () => {
    const server = await ScriptedServer.start(({ socket }) => {
      socket.write(server.requests.length === 3 ? GONE : held(OURS));
    });
    expect(await hold(server).result()).toMatchObject({ status: 75 });
    expect(server.requests.map(ifMatch)).toEqual([undefined, '"b7f3"', '"b7f3"']);
  }, 60_000);

  test('a release is tried again while something stands in between', async () => {
    const answers = [answer(502, 'text/html', '<html>'), ''];
    const server = await ScriptedServer.start(({ method, socket }) => {
      if (method === 'DELETE') socket.end(answers[server.requests.length - 2] ?? jsonAnswer(OURS));
      else socket.write(held(OURS));
    });
    const child = hold(server);
    await child.said('started');
    child.child.stdin?.end();
    expect((await child.result()).status).toBe(0);
    expect(server.requests.slice(1).map(ifMatch)).toEqual(['"b7f3"', '"b7f3"', '"b7f3"']);
  }, 60_000);

  test.each([
    ['the same if it has kept its time', OLD, 0],
    ['another if it has not', { ...OLD, since: MOVED }, 75],
    ['the same if the sidecar has been replaced by a newer one', OURS, 0],
  ])('of an older sidecar, without an id, a lease is %s', async (_what, second, status) => {
    const server = await breakingServer(OLD, `${held(second)}${DRAINING}`);
    const child = hold(server);
    // What comes after the lease, so it has been looked at by then.
    await child.said(status === 0 ? 'the lock ends in 60 s' : 'did not keep it');
    if (status === 0) child.child.stdin?.end();
    expect((await child.result()).status).toBe(status);
    // By its name it might end another lease; it ends with its connection.
    expect(server.requests.slice(2).map(ifMatch)).toEqual('id' in second ? ['"b7f3"'] : []);
  }, 60_000);

  test('of an older sidecar, without an id, a lease is not taken for another because the clock was set', async () => {
    const server = await breakingServer(OLD, `${held({ ...OLD, since: MOVED })}${DRAINING}`);
    const bin = join(server.folder, 'bin');
    mkdirSync(bin);
    // Each time it is asked, the clock has been set forward by an hour.
    writeFileSync(join(bin, 'date'), `#!/bin/sh\necho x >>${bin}/asked\necho $((1700000000 + 3600 * $(grep -c x ${bin}/asked)))\n`);
    chmodSync(join(bin, 'date'), 0o755);
    const child = hold(server, { path: `${bin}:` });
    await child.said('the lock ends in 60 s');
    child.child.stdin?.end();
    expect((await child.result()).status).toBe(0);
  }, 60_000);
});
