// Works for a while, rests for a while, and holds the update lock while it works. The lock is tied to a connection, so it is
// given back when the work is done, and just as well when this process crashes.
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const SOCKET = '/run/update-lock/update-lock.sock';
const WORK_MS = 1000 * Number(process.env.WORK_SECONDS ?? 30);
const REST_MS = 1000 * Number(process.env.REST_SECONDS ?? 30);

/** Runs `work` with the lock held. `signal` says if it is lost: by force, or because the sidecar has gone. */
async function whileLocked(reason, work) {
  const path = `/v1/leases/app/hold?wait=1h&reason=${encodeURIComponent(reason)}`;
  const asked = request({ socketPath: SOCKET, method: 'POST', path, agent: false }).end();
  let id;
  try {
    const [answer] = await once(asked, 'response');
    if (answer.statusCode !== 200) throw new Error(`no lock: ${answer.statusCode}`);
    const lost = new AbortController();
    const lines = createInterface({ input: answer });
    for (const end of ['close', 'error']) lines.on(end, () => lost.abort());
    lines.on('line', (line) => {
      const { event, update } = JSON.parse(line);
      if (event === 'update' && update.pending) console.log('an update waits; it may come when this is done');
      if (event === 'ended') lost.abort();
    });
    // The first line says that the lock is held.
    const [first] = await once(lines, 'line', { signal: lost.signal });
    ({ id } = JSON.parse(first).lease);
    await work(lost.signal);
  } finally {
    // Without this, the end of the connection would end the lease, as if we had crashed.
    if (id !== undefined) await release(id);
    asked.on('error', () => undefined).destroy();
  }
}

/** Never fails. */
async function release(id) {
  const headers = { 'If-Match': `"${id}"` };
  const asked = request({ socketPath: SOCKET, method: 'DELETE', path: '/v1/leases/app', headers, agent: false, timeout: 5000 });
  asked.on('timeout', () => asked.destroy()).on('error', () => undefined).on('response', (answer) => answer.resume());
  asked.end();
  await new Promise((resolve) => asked.on('close', resolve));
}

async function work(signal) {
  console.log('busy: no update now');
  await sleep(WORK_MS, undefined, { signal });
  console.log('done: updates may come');
}

process.on('SIGTERM', () => process.exit(0));
for (;;) {
  try {
    await whileLocked('recording', work);
  } catch (error) {
    // The sidecar is not up yet, or was restarted.
    console.log(`interrupted: ${error.message}`);
  }
  await sleep(REST_MS);
}
