import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { IMAGE_OPTIONS } from '../support/image-options';
import { send, type Target } from '../support/http';
import { Sidecar } from '../support/sidecar';

const readers: ChildProcess[] = [];

afterEach(async () => {
  for (const reader of readers.splice(0)) reader.kill('SIGKILL');
  await Sidecar.cleanUp();
});

/** The most memory that the sidecar has had so far, in MiB. */
function peakMiB(sidecar: Sidecar): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${String(sidecar.process.pid)}/status`, 'utf8'))?.[1]) / 1024;
}

/** Begins as many requests that nobody reads the answers of. */
async function leaveUnread(target: Target, count: number, paths: readonly string[]): Promise<void> {
  const where = 'port' in target ? String(target.port) : target.socketPath;
  const reader = spawn('python3', [resolve(__dirname, '../support/unread.py'), where, String(count), ...paths], { stdio: ['ignore', 'pipe', 'inherit'] });
  readers.push(reader);
  await once(reader.stdout, 'data');
}

/** How much the sidecar has worked so far, in milliseconds of processor time. */
function workedMs(sidecar: Sidecar): number {
  const pid = String(sidecar.process.pid);
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** How much the sidecar did before it answered a renewal: its delay, on a machine that does nothing else. A lease that had ended would be 412. */
async function renew(sidecar: Sidecar, target: Target): Promise<number> {
  const before = workedMs(sidecar);
  const { status } = await send(target, 'PUT', '/v1/leases/recorder?ttl=60', { headers: { 'If-Match': '*' } });
  expect(status).toBe(200);
  return workedMs(sidecar) - before;
}

describe.each([
  ['the lock', ['/v1/lock']],
  ['the leases', ['/v1/leases']],
  ['events', ['/v1/events']],
  ['everything', ['/v1/lock', '/v1/leases', '/v1/events', '/metrics', '/openapi.json', '/v1/history', '/', '/client.py', '/client.sh']],
])('a thousand clients that ask for %s and do not read', (_, paths) => {
  test('neither end the sidecar, nor cost it more than their share, nor delay a renewal by a second', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_LOG_LEVEL: 'info', NODE_OPTIONS: IMAGE_OPTIONS } });
    await sidecar.put('recorder', { ttl: '1h' });
    for (let n = 1; n < 255; n += 1) await sidecar.put(`lease-${String(n)}`, { ttl: '1h', reason: '\u{1F512}'.repeat(256) });
    const begun = [sidecar.tcpTarget, sidecar.target].map((target) => leaveUnread(target, 500, paths));
    const renewals: number[] = [];
    const progress = { isOver: false };
    const asking = Promise.all(begun).then(() => (progress.isOver = true));
    // Each renewal changes what the next readers are sent.
    while (!progress.isOver || renewals.length < 200) renewals.push(await renew(sidecar, renewals.length % 2 === 0 ? sidecar.tcpTarget : sidecar.target));
    await asking;
    if (process.env['SHOW_FIGURES'] !== undefined) console.log(paths, { peakMiB: peakMiB(sidecar), slowestRenewalMs: Math.max(...renewals), renewals: renewals.length });
    expect(Math.max(...renewals)).toBeLessThan(1000);
    expect(peakMiB(sidecar)).toBeLessThan(160);
    expect(sidecar.process.exitCode).toBeNull();
  }, 60_000);
});
