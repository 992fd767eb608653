import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, lstatSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, Timeline } from '../../server/clock';
import type { SidecarEvent } from '../../sidecar/events/event';
import { Keeper } from '../../sidecar/keeper/keeper';
import type { TestPace } from '../../sidecar/keeper/left-behind';
import { openStore } from '../../sidecar/keeper/open-store';
import { isFlocked } from '../../sidecar/lock/is-flocked';
import { LockUser } from '../../sidecar/lock/lock-user';
import { LockWatch } from '../../sidecar/lock/watch';
import { endGuards, makeFolder, Sidecar } from '../support/sidecar';
import { HeliosLocks } from '../support/supervisor/helios-locks';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { startDevice } from '../support/updatable-device';
import { until } from '../support/until';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

describe('a file that Helios leaves behind when it is killed', () => {
  let helios: HeliosLocks;
  afterEach(() => helios.release());

  async function startStale() {
    const { sidecar, supervisor } = await startDevice();
    // So it cannot be told that nothing is pending.
    supervisor.answerWith(500);
    helios = new HeliosLocks([sidecar.directory]);
    await helios.take(false);
    helios.crash();
    return sidecar;
  }

  test('is called stale in state, summary, log, history and refusal, and is not touched', async () => {
    const sidecar = await startStale();
    const [path = ''] = sidecar.lockFiles;
    const before = lstatSync(path);
    await sidecar.logged('lock file of Helios is stale: no process holds its flock', { path });
    await sidecar.logged('lock files changed owner', { from: 'updating', to: 'foreign' });
    const { body } = await sidecar.send('GET', '/v1/lock');
    expect([body.state, body.paths[0]]).toEqual(['foreign', { path, state: 'foreign' }]);
    expect(body.summary).toBe(`Updates are held back by somebody else: a stale file of Helios holds the lock: ${path}. No process holds its flock, so no update is being applied. It stays until Helios takes it over or somebody removes it.`);
    const history = (await sidecar.send('GET', '/v1/history')).body.events as { event: string; detail: string }[];
    expect(history).toContainEqual(expect.objectContaining({ event: 'left-behind', text: 'The lock file of Helios is stale', detail: path }));
    const refused = await sidecar.put('app', { wait: 0 });
    expect([refused.status, refused.body.code, refused.body.holder]).toEqual([423, 'foreign-lock', path]);
    expect(refused.body.detail).toContain('A stale file of Helios');
    const { ino, ctimeMs } = lstatSync(path);
    expect({ ino, ctimeMs }).toEqual({ ino: before.ino, ctimeMs: before.ctimeMs });
  });

  test('is no update that is being applied: once it is removed, everybody gets the lock', async () => {
    const sidecar = await startStale();
    const waits = sidecar.put('app', { wait: '20s' });
    await sidecar.logged('lock file of Helios is stale: no process holds its flock');
    await sidecar.logged('lock files changed owner', { from: 'updating', to: 'foreign' });
    // Not there, unless the machine is so busy that the test came late.
    const mark = join(sidecar.folder, 'state/applying');
    expect(existsSync(mark) ? JSON.parse(readFileSync(mark, 'utf8')) : {}).not.toHaveProperty('applying.boot');
    unlinkSync(sidecar.lockFiles[0] ?? '');
    expect((await waits).status).toBe(201);
  });
});

/** The keeper on a real directory, with real tests of flock, in much less time than a minute. */
class QuickKeeper {
  readonly events: SidecarEvent[] = [];
  readonly directory = makeFolder();
  readonly path = join(this.directory, 'updates.lock');
  readonly #user = LockUser.detect();
  readonly #keeper: Keeper;
  readonly #watch: LockWatch;

  constructor(testPace: TestPace) {
    const emit = (event: SidecarEvent): void => { this.events.push(event); };
    const paths = { directory: this.directory, legacyPath: null };
    this.#keeper = new Keeper({
      clock: systemClock, timeline: new Timeline(systemClock), emit, testPace,
      openStore: () => openStore(paths, this.#user, { boot: 'boot', nowMs: systemClock.monotonicMs() }),
      isFlocked: (path, file) => isFlocked(path, file, this.#user),
      defaultTtlMs: 1000, maxLeases: 10, restartGraceMs: 1000, whereToAsk: '',
    });
    if (this.#keeper.open() !== 'open') throw new Error('the keeper does not open');
    this.#watch = new LockWatch([this.directory], this.#user, () => { this.#keeper.look(); });
  }

  get state(): string {
    return this.#keeper.status().state;
  }

  get detail(): string {
    return this.#keeper.status().refusal?.detail ?? '';
  }

  get found(): SidecarEvent[] {
    return this.events.filter(({ type }) => type === 'file-left-behind');
  }

  close(): void {
    this.#watch.close();
    this.#keeper.stop(false);
    this.#keeper.close();
    endGuards(this.directory);
    rmSync(this.directory, { recursive: true });
  }
}

describe('with the tests in quick succession', () => {
  const LEFT = 'No process holds its flock';
  let keeper: QuickKeeper;
  let holder: ChildProcess | null;
  beforeEach(() => {
    keeper = new QuickKeeper(() => 50);
    holder = null;
  });
  afterEach(async () => {
    await letGo();
    keeper.close();
  });

  /** Runs flock(1) on the lock file, as an app may do, and leaves it running. */
  async function hold(): Promise<void> {
    const ready = join(keeper.directory, 'ready');
    holder = spawn('flock', [keeper.path, 'sh', '-c', 'touch "$0"; exec sleep 1000', ready], { stdio: 'ignore', detached: true });
    await until(() => existsSync(ready));
    rmSync(ready);
  }

  async function letGo(): Promise<void> {
    if (holder === null) return;
    // The program that flock(1) runs has the open file, too.
    process.kill(-Number(holder.pid), 'SIGKILL');
    await once(holder, 'close');
    holder = null;
  }

  test('the file of flock(1) is left behind when the program ends, and not while it runs', async () => {
    await hold();
    await until(() => keeper.state === 'foreign');
    expect(keeper.detail).toBe(`A file that is not the sidecar's holds the lock: ${keeper.path}. It belongs to root and is empty, so it may be that of a Supervisor before 13.1, which removes it after its update.`);
    await letGo();
    await until(() => keeper.detail.includes(LEFT));
    expect(keeper.found).toEqual([{ type: 'file-left-behind', path: keeper.path, isHelios: false, uid: 0 }]);
    await hold();
    await until(() => !keeper.detail.includes(LEFT));
    expect([keeper.state, keeper.found.length, existsSync(keeper.path)]).toEqual(['foreign', 1, true]);
  });

  test("another user's file is told with its owner, and one that comes to its name is tested anew", async () => {
    writeFileSync(keeper.path, '4711\n');
    chownSync(keeper.path, 1000, 1000);
    await until(() => keeper.detail.includes(LEFT));
    expect(keeper.detail).toContain(' It belongs to user 1000. ');
    unlinkSync(keeper.path);
    await until(() => keeper.state === 'free');
    writeFileSync(keeper.path, '4712\n');
    await until(() => keeper.found.length === 2);
    expect(readFileSync(keeper.path, 'utf8')).toBe('4712\n');
  });

  test('a file of Helios that is held is that of an update, a stale one is not, and one that is taken over is again', async () => {
    const helios = new HeliosLocks([keeper.directory]);
    await helios.take(false);
    await until(() => keeper.state === 'updating');
    helios.crash();
    await until(() => keeper.state === 'foreign');
    await helios.take(false);
    await until(() => keeper.state === 'updating');
    await helios.release();
    const turns = (): string[] => keeper.events.flatMap((event) => (event.type === 'lock-turned' ? [event.to] : []));
    await until(() => turns().at(-1) === 'free');
    expect(turns()).toEqual(['updating', 'foreign', 'updating', 'free']);
  });

  test.each<[string, string[]]>([
    ['a directory', ['mkdir']],
    ['a pipe', ['mkfifo']],
    ['a link', ['ln', '-s', '/etc/hostname']],
  ])('of %s nothing is told', async (_, [command = '', ...args]) => {
    spawnSync(command, [...args, keeper.path]);
    await until(() => keeper.state === 'foreign');
    // Its test comes after that of what came before it.
    const later = join(keeper.directory, 'resin-updates.lock');
    writeFileSync(later, '');
    await until(() => keeper.found.length > 0);
    expect(keeper.found).toEqual([expect.objectContaining({ path: later })]);
    expect(keeper.detail).toBe(`A file that is not the sidecar's holds the lock: ${keeper.path}. The program that made it has to remove it.`);
  });
});
