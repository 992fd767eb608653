import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdsBackHost } from '../support/readers';
import { guardsIn, makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

/** Other programs that use `flock` on the lock file, as the balena documentation once told apps to. */

const others: ChildProcess[] = [];

afterEach(async () => {
  for (const other of others.splice(0)) process.kill(-(other.pid ?? 0), 'SIGKILL');
  await Sidecar.cleanUp();
});

/** `flock FILE -c COMMAND`, which waits until it has the flock, then says so and keeps it until it is killed. */
class FlockUser {
  #output = '';
  readonly #process: ChildProcess;

  private constructor(path: string) {
    this.#process = spawn('flock', [path, '-c', 'echo has it; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    this.#process.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.#output += chunk));
    others.push(this.#process);
  }

  static start(path: string): FlockUser {
    return new FlockUser(path);
  }

  get hasIt(): boolean {
    return this.#output !== '';
  }

  /** Whether it has asked the kernel for the flock and does not have it. */
  get isWaiting(): boolean {
    const { pid } = this.#process;
    return !this.hasIt && readFileSync('/proc/locks', 'utf8').split('\n').some((line) => line.includes('->') && line.includes(` ${String(pid)} `));
  }

  async waits(): Promise<void> {
    await until(() => this.isWaiting);
  }

  async gotIt(): Promise<void> {
    await until(() => this.hasIt);
  }

  async end(): Promise<void> {
    process.kill(-(this.#process.pid ?? 0), 'SIGKILL');
    others.splice(others.indexOf(this.#process), 1);
    await once(this.#process, 'exit');
  }
}

function lockFile(sidecar: Sidecar): string {
  return sidecar.lockFiles[0] ?? '';
}

function inodeOf(path: string): number {
  return statSync(path).ino;
}

async function expectTakes(sidecar: Sidecar, name: string): Promise<void> {
  expect((await sidecar.put(name, { wait: 0 })).status).toBe(201);
  for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
  expect((await sidecar.send('GET', '/v1/lock')).body).toMatchObject({ state: 'held', flock: true });
}

test('a program that waits for the flock gets it within a second of the last release, and the next lease works meanwhile', async () => {
  const sidecar = await Sidecar.start();
  const tookMs: number[] = [];
  for (const name of ['first', 'second', 'third']) {
    await sidecar.put(name);
    const user = FlockUser.start(lockFile(sidecar));
    await user.waits();
    await sidecar.put('player');
    await sidecar.release('player');
    expect((await sidecar.release(name)).status).toBe(200);
    const releasedAtMs = performance.now();
    await user.gotIt();
    tookMs.push(performance.now() - releasedAtMs);
    await expectTakes(sidecar, 'next');
    expect(user.hasIt).toBe(true);
    expect((await sidecar.release('next')).status).toBe(200);
  }
  expect(Math.min(...tookMs)).toBeLessThan(1000);
});

test('so does one that waits while the lock is taken away by force', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOST_COOLDOWN: '0' } });
  await sidecar.put('recorder');
  const user = FlockUser.start(lockFile(sidecar));
  await user.waits();
  for (const path of sidecar.lockFiles) unlinkSync(path);
  await user.gotIt();
  await expectTakes(sidecar, 'next');
});

test('with a lock file at the legacy path too', async () => {
  const folder = makeFolder();
  mkdirSync(join(folder, 'data'));
  const path = join(folder, 'data/resin-updates.lock');
  const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_LEGACY_PATH: path } });
  await sidecar.put('recorder');
  const user = FlockUser.start(path);
  await user.waits();
  await sidecar.release('recorder');
  await user.gotIt();
  await expectTakes(sidecar, 'next');
  expect(holdsBackHost(path)).toBe(true);
});

test('an app that releases and takes again at once keeps the same file', async () => {
  const sidecar = await Sidecar.start();
  const inodes = new Set<number>();
  for (let round = 0; round < 10; round += 1) {
    await sidecar.put('recorder');
    inodes.add(inodeOf(lockFile(sidecar)));
    await sidecar.release('recorder');
  }
  expect(inodes.size).toBe(1);
  const anchor = join(sidecar.directory, '.update-lock/anchor');
  await until(() => !inodes.has(inodeOf(anchor)));
  expect(readdirSync(join(sidecar.directory, '.update-lock')).sort()).toEqual(['anchor', 'instance', 'journal']);
  await until(() => guardsIn(sidecar.folder).length === 1);
});

test('a lock that is taken over from a former process is free for others within a second of its release', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  const user = FlockUser.start(lockFile(sidecar));
  await user.waits();
  await sidecar.kill();
  const again = await sidecar.startAgain();
  expect(user.isWaiting).toBe(true);
  expect((await again.send('GET', '/v1/leases/recorder')).status).toBe(200);
  await again.release('recorder');
  await user.gotIt();
  await expectTakes(again, 'next');
});

test('somebody who has the flock of a file that is not the lock any more does not keep the next sidecar from taking it', async () => {
  const sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  const user = FlockUser.start(lockFile(sidecar));
  await user.waits();
  await sidecar.release('recorder');
  // Before a fresh file is there.
  await sidecar.kill();
  await user.gotIt();
  const again = await sidecar.startAgain();
  expect((await again.send('GET', '/readyz')).status).toBe(200);
  await expectTakes(again, 'next');
  expect(user.hasIt).toBe(true);
});

test('somebody who takes the flock of the hidden file while the lock is free does not keep it from being taken', async () => {
  const first = await Sidecar.start();
  await first.kill('SIGTERM');
  const user = FlockUser.start(join(first.directory, '.update-lock/anchor'));
  await user.gotIt();
  const sidecar = await first.startAgain();
  expect((await sidecar.send('GET', '/readyz')).status).toBe(200);
  await expectTakes(sidecar, 'recorder');
});

test('on a full disk the file stays, which is said, and another takes its place as soon as there is room', async () => {
  const folder = makeFolder();
  const lock = join(folder, 'lock');
  mkdirSync(lock);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=16', 'tmpfs', lock]);
  try {
    const sidecar = await Sidecar.start({ folder });
    await sidecar.put('recorder');
    const user = FlockUser.start(lockFile(sidecar));
    await user.waits();
    const fillers: string[] = [];
    expect((await sidecar.release('recorder')).status).toBe(200);
    expect(() => {
      for (;;) {
        const path = join(lock, `filler-${String(fillers.length)}`);
        writeFileSync(path, '');
        fillers.push(path);
      }
    }).toThrow(/ENOSPC/);
    const { detail } = await sidecar.logged('operation failed', { operation: 'flock' });
    expect(detail).toMatch(/ENOSPC/);
    expect(user.isWaiting).toBe(true);
    expect(readdirSync(join(lock, '.update-lock')).sort()).toEqual(['anchor', 'instance', 'journal']);
    for (const path of fillers) unlinkSync(path);
    await expectTakes(sidecar, 'next');
    await sidecar.release('next');
    await user.gotIt();
    await expectTakes(sidecar, 'another');
    await sidecar.release('another');
    await user.end();
    await sidecar.kill('SIGTERM');
  } finally {
    execFileSync('umount', ['-l', lock]);
  }
});

test('killed at any moment while it changes over to a fresh file, it leaves what the next one can go on with', async () => {
  // Four of them side by side, since most of their time goes by in waiting.
  await Promise.all(Array.from({ length: 4 }, (_, chain) => killedInTheMiddle(chain * 5, chain * 5 + 5)));
}, 120_000);

async function killedInTheMiddle(from: number, to: number): Promise<void> {
  let sidecar = await Sidecar.start();
  for (let round = from; round < to; round += 1) {
    await sidecar.put('recorder');
    const user = FlockUser.start(lockFile(sidecar));
    await user.waits();
    await sidecar.release('recorder');
    // The change takes some ten milliseconds, at about half a second after the release; the waiting program sees its end.
    await (round % 2 === 0 ? user.gotIt() : new Promise((resolve) => setTimeout(resolve, 490 + round * 2)));
    await sidecar.kill();
    sidecar = await sidecar.startAgain();
    await expectTakes(sidecar, 'player');
    await sidecar.kill();
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
    sidecar = await sidecar.startAgain();
    expect((await sidecar.release('player')).status).toBe(200);
    expect(sidecar.lockFiles.filter((path) => existsSync(path))).toEqual([]);
    await user.end();
  }
  await until(() => guardsIn(sidecar.folder).length === 1, 5000);
}
