import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { answer, jsonAnswer, ScriptedServer, streamHead, type ScriptedRequest } from '../support/scripted-server';
import { Sidecar } from '../support/sidecar';
import { hurriedScript, Run, SHELLS, SCRIPT } from './shell-script';

// What the shell client makes of what it is sent: by the sidecar, by one that hangs, and by anybody else.

const HELD = { event: 'held', lease: { id: 'b7f3', name: 'recorder', reason: '","id":"odd', kind: 'connection', since: '2026-01-01T00:00:00.000Z' } };
const STREAM = streamHead('application/x-ndjson');
const HOLD = `${STREAM}${JSON.stringify(HELD)}\n`;
const HTML = '<html>\r\n<h1>Bad gateway</h1>';

/** Control characters, C1 as UTF-8 has them, those that turn the text around, and bytes that are not UTF-8. */
const NASTY = 'a\u0007\u001b[31m\u007f\u009b31m\u202e\u2066\u200f\u061cb';
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]/;

afterEach(async () => {
  Run.endAll();
  await ScriptedServer.cleanUp();
  await Sidecar.cleanUp();
});

/** Answers holds with these in turn, the last of them again and again, and whatever else is asked with what it should be. */
function inTurn(...answers: readonly string[]): (request: ScriptedRequest) => void {
  let next = 0;
  return ({ method, socket }) => {
    if (method === 'DELETE') socket.end(jsonAnswer(HELD.lease));
    else {
      const text = answers[Math.min(next, answers.length - 1)] ?? '';
      next += 1;
      socket.write(text);
      if (!text.startsWith(HOLD)) socket.end();
    }
  };
}

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('in %s', (_name, shell) => {
  const start = (url: string, args: readonly string[], script = SCRIPT, environment = {}): Run => new Run([...shell, script, ...args], { UPDATE_LOCK_URL: url, ...environment });

  test('nothing that a server says is obeyed', async () => {
    const victim = spawn('sleep', ['1000']);
    const ended = once(victim, 'exit');
    const pid = String(victim.pid);
    const server = await ScriptedServer.start(() => undefined);
    const proof = join(server.folder, 'proof');
    const run = `touch ${proof}`;
    const orders = [`nap x=1;${run}`, `curl ${pid}`, `pid ${pid}`, 'done', 'gone', 'held', 'over', 'exit', `$(${run})`, `\`${run}\``, `x="$(${run})`, `a[$(${run})]`, '\0', '"', "'", '\\'];
    const heads = `X: ${orders.join('\r\nY: ').replaceAll('\0', '')}\r\n`;
    const quoted = { ...HELD, lease: { ...HELD.lease, reason: orders.join('\n') } };
    server.answerWith(
      inTurn(
        ...orders.map((order) => answer(502, 'text/html', order, heads)),
        ...orders.map((order) => jsonAnswer({ code: 'stopping', detail: order }, 503)),
        ...orders.map((order) => jsonAnswer({ code: order, detail: order }, 423)),
        `${STREAM}${JSON.stringify(quoted)}\n${orders.join('\n')}\n`,
        ...orders.map((order) => answer(503, 'text/plain', order)),
        ...orders.map((order) => `${STREAM}${JSON.stringify({ event: order })}\n${order}\n`),
        `${HOLD}${JSON.stringify({ event: 'draining', endsInSeconds: 60 })}\n${JSON.stringify({ event: 'draining', endsInSeconds: `$(${run})` })}\n`,
      ),
    );
    const child = start(server.url, ['run', '--name', 'recorder', '--', 'sh', '-c', 'echo started; exec cat'], hurriedScript(server.folder, { GRACE_SECONDS: 300, RETRY_SECONDS: 0 }));
    await child.said('started');
    await child.said('the lock ends in 60 s');
    child.child.stdin?.end();
    expect(await child.result()).toMatchObject({ status: 0 });
    expect([existsSync(proof), victim.exitCode, victim.signalCode]).toEqual([false, null, null]);
    victim.kill();
    await ended;
  }, 180_000);

  test('what others wrote does not reach the terminal as it is', async () => {
    const detail = `${NASTY} äöü ☃ 🎉 \\ "quoted"\n\\n`;
    const server = await ScriptedServer.start(({ socket }) => socket.end(jsonAnswer({ code: 'updating', detail }, 423)));
    const shown = 'a??[31m?31m????b äöü ☃ 🎉 \\ "quoted" \\n';
    for (const args of [['acquire', 'a', '--wait', '0'], ['renew', 'a'], ['release', 'a'], ['run', '--no-wait', '--', 'true']]) {
      expect((await start(server.url, args).result()).stderr).toBe(`update-lock: ${shown}\n`);
    }
    // As bytes, the same characters outside of JSON's escapes, and some that are no characters.
    const raw = Buffer.concat([Buffer.from('{"state":"held","summary":"'), Buffer.from(NASTY), Buffer.from([0x9b, 0xc2, 0xff, 0xe2, 0x80]), Buffer.from('é"}')]);
    server.answerWith(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${String(raw.length)}\r\n\r\n`);
      socket.end(raw);
    });
    expect((await start(server.url, ['status']).result()).stdout).toBe('a[31m?31m????bé\n');
    server.answerWith(inTurn(`${HOLD}${JSON.stringify({ event: 'ended', lease: { ended: { reason: NASTY } } })}\n`));
    const child = start(server.url, ['run', '--name', 'recorder', '--', 'cat']);
    await child.said('the lock is lost');
    child.child.stdin?.end();
    expect((await child.result()).stderr).not.toMatch(UNPRINTABLE);
    for (const name of [NASTY, '$(touch x)']) expect((await start(server.url, ['release', name]).result()).stderr).not.toMatch(UNPRINTABLE);
  }, 60_000);

  test('a sidecar that is stopped is given up', async () => {
    const sidecar = await Sidecar.start();
    const url = `unix:${sidecar.socketPath}`;
    const hurried = hurriedScript(sidecar.folder, { ANSWER_SECONDS: 1, TICK_SECONDS: 1 });
    sidecar.process.kill('SIGSTOP');
    await Promise.all([['status'], ['release', 'a'], ['renew', 'a'], ['acquire', 'a', '--wait', '0'], ['wait-update', '--timeout', '0'], ['run', '--no-wait', '--', 'true']].map(async (args) => {
      const { status, stderr } = await start(url, args, hurried).result();
      // While it waits for the lock, `run` is curl itself.
      const why = args[0] === 'run' ? '' : ': there was no answer in time';
      expect([args[0], status, stderr]).toEqual([args[0], 69, `update-lock: the sidecar at ${url} cannot be reached${why}\n`]);
    }));
  }, 60_000);

  test.each([
    ['a page of a proxy', answer(502, 'text/html', HTML), 69],
    ['text', answer(500, 'text/plain', 'Internal error'), 69],
    ['nothing', answer(503, 'text/plain', ''), 69],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n', 69],
    ['no answer', '', 69],
    ['a page that is not there', answer(404, 'text/html', HTML), 69],
    ['a page to log in', answer(401, 'text/html', HTML), 77],
    ['a page that is not allowed', answer(403, 'text/html', HTML), 77],
    ['a page', answer(200, 'text/html', HTML), 69],
    ['another document', answer(200, 'application/json', '{}'), 69],
    ['another lease', answer(200, 'application/json', '{"id":"b7f3","name":"another","event":"held","pending":1}'), 69],
    ['an id that is none', answer(200, 'application/json', '{"id":"\\"\\r\\nX: y","name":"a"}'), 69],
    ['broken JSON', answer(422, 'application/problem+json', '{"code":"invalid","detail":"'), 64],
    ['a problem', jsonAnswer({ code: 'updating', detail: 'The Supervisor has the lock.' }, 423), 75],
    ['a bug', jsonAnswer({ code: 'internal', detail: 'This is a bug.' }, 500), 75],
    ['a wrong path', jsonAnswer({ code: 'not-found', detail: 'There is nothing.' }, 404), 64],
  ])('%s for an answer has the exit status that it should have', async (_what, text, exit) => {
    const server = await ScriptedServer.start(({ socket }) => socket.end(text));
    await Promise.all([['acquire', 'a', '--wait', '0'], ['renew', 'a'], ['release', 'a'], ['status'], ['run', '--name', 'a', '--no-wait', '--', 'echo', 'never']].map(async (args) => {
      const { status, stdout, stderr } = await start(server.url, args).result();
      expect([args[0], status, stdout]).toEqual([args[0], exit, '']);
      expect(stderr).toMatch(/^update-lock: .+\n$/);
      if (text.startsWith('HTTP/1.1 200')) expect(stderr).toContain('is this the sidecar?');
    }));
  }, 60_000);

  test('an answer without an end is cut', async () => {
    const server = await ScriptedServer.start(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n{"summary":"');
      const fill = (): void => {
        while (socket.writable && socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', fill);
      fill();
    });
    expect((await start(server.url, ['status']).result()).status).toBe(69);
  }, 60_000);

  test('a line of a hold without an end is given up before it is large, and the hold taken up again', async () => {
    let sent = 0;
    const server = await ScriptedServer.start(({ method, socket, headers }) => {
      if (method === 'DELETE') socket.end(jsonAnswer(HELD.lease));
      else socket.write(HOLD);
      if (headers['if-match'] !== undefined) return;
      const fill = (): void => {
        while (socket.writable && socket.write('x'.repeat(65_536))) sent += 65_536;
      };
      socket.on('drain', fill);
      fill();
    });
    const child = start(server.url, ['run', '--name', 'recorder', '--', 'cat'], hurriedScript(server.folder, { TICK_SECONDS: 1, SILENT_TICKS: 2 }));
    while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sent).toBeLessThan(20_000_000);
    child.child.stdin?.end();
    expect((await child.result()).status).toBe(0);
  }, 60_000);
});
