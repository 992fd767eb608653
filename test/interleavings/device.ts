import { mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import './imitations';
import { Timeline } from '../../server/clock';
import { lostCooldown } from '../../sidecar/gates/lost-cooldown';
import type { KeeperEvent } from '../../sidecar/events/event';
import { Keeper } from '../../sidecar/keeper/keeper';
import { openStore } from '../../sidecar/keeper/open-store';
import type { EndedLease, Lease } from '../../sidecar/leases/lease';
import type { Refusal } from '../../sidecar/leases/refusal-codes';
import type { AcquireRequest } from '../../sidecar/leases/request';
import type { SmallDisk } from '../support/small-disk';
import { FakeClock } from '../unit/fake-clock';
import { withInterceptor, type Operation } from './intercepted-files';
import { Kernel, machine } from './kernel';
import { Observer, type Acknowledged, type Circumstances } from './observer';
import { OthersFiles } from './others-files';
import { SidecarProcess, user } from './sidecar-process';

export const TTL_MS = 60_000;
const GRACE_MS = 3000;
export const COOLDOWN_MS = 15_000;

/** Operations after which others may see no lock. */
const VISIBLE = new Set(['unlinkSync', 'renameSync', 'rmSync', 'endGuard']);

/** A device: a lock directory on a small disk, the sidecar with its leases as the apps know them, and what others have made there. */
export class Device implements Circumstances {
  readonly kernel = new Kernel();
  readonly others = new OthersFiles();
  readonly clock = new FakeClock(1_000_000);
  readonly acknowledged = new Map<string, Acknowledged>();
  readonly uncertain = new Set<string>();
  readonly observer = new Observer(this);
  readonly directory: string;
  readonly legacyPath: string | null;
  readonly names: readonly string[];
  isFlockGone = false;
  isJournalGone = false;
  isFolderGone = false;
  /** How many file operations the sidecar has done. */
  operations = 0;
  /** What others do before a file operation of the sidecar. Returns the error with which that fails, if it does. */
  stepIn: (operation: Operation) => Error | undefined = () => undefined;
  #boot = 1;
  #lostAtMs = -Infinity;
  #isRecovering = false;
  #openings = 0;
  #startedAtMs = 0;
  #takings = 0;
  #settledTakings = 0;
  #process: SidecarProcess | null = null;
  #aftermath: (() => void) | null = null;

  constructor(
    readonly disk: SmallDisk,
    hasLegacyPath: boolean,
  ) {
    machine.kernel = this.kernel;
    this.directory = join(disk.path, 'lock');
    const data = join(disk.path, 'data');
    for (const folder of [this.directory, data, this.elsewhere]) mkdirSync(folder);
    this.legacyPath = hasLegacyPath ? join(data, 'resin-updates.lock') : null;
    const names = ['updates.lock', 'resin-updates.lock'].map((name) => join(this.directory, name));
    this.names = this.legacyPath === null ? names : [...names, this.legacyPath];
  }

  /** Somebody has taken a name of the lock away, and the sidecar has not been asked since. */
  get isTaken(): boolean {
    return this.#takings > this.#settledTakings;
  }

  set isTaken(isTaken: boolean) {
    if (isTaken) this.#takings += 1;
    else this.#settledTakings = this.#takings;
  }

  get nowMs(): number {
    return this.clock.nowMs;
  }

  /** A folder for what is not in a directory of the lock. */
  get elsewhere(): string {
    return join(this.disk.path, 'elsewhere');
  }

  /** A new process of the sidecar, if there is none. */
  start(): void {
    if (this.#process !== null) return;
    const keeper = this.#newKeeper((event) => {
      if (this.#process === process && !process.isDying) withInterceptor(null, () => { this.#hear(event); });
    });
    const process = new SidecarProcess(keeper, this.kernel, {
      before: (operation) => {
        this.operations += 1;
        return this.stepIn(operation);
      },
      after: ({ name }) => { if (VISIBLE.has(name)) this.observer.lookAtLock(); },
    });
    this.#process = process;
    if (this.isJournalGone) this.#nothingIsCertain();
    this.#isRecovering = true;
    this.#startedAtMs = this.nowMs;
    this.#call([], () => {
      const opened = user.act(() => keeper.open());
      if (opened === 'in-use') this.observer.violated(2, 'the sidecar takes itself for another');
      if (keeper.isLockUsers) user.dropPrivileges();
    });
  }

  /** An app asks for a lease, or renews it. Returns why it was refused; null if it was not. */
  acquire(name: string, ask: Partial<AcquireRequest> = {}): Refusal | null {
    const wasJournalGone = this.isJournalGone;
    const request: AcquireRequest = { kind: 'timed', ttlMs: undefined, reason: `because of ${name}`, peer: 'unix', ...ask, name };
    const outcome = this.#call([name], (keeper) => keeper.acquire(request));
    if (outcome === undefined) return null;
    if (outcome.kind === 'refused') return outcome.refusal;
    const lease = this.#acknowledge(outcome.lease);
    this.observer.lookForAnother();
    if (wasJournalGone) this.isJournalGone = this.isFolderGone;
    this.observer.lookAtJournal(lease);
    this.observer.lookAtLock();
    return null;
  }

  release(name: string): void {
    const isLive = this.observer.live().some((lease) => lease.name === name);
    const released = this.#call([name], (keeper) => (keeper.whyNotKnown() === null ? keeper.release(name) : undefined));
    if (released === undefined) return;
    if (isLive && !this.isTaken && released.kind !== 'ended') this.observer.violated(6, `a release was answered with ${JSON.stringify(released)}`);
    this.acknowledged.delete(name);
    this.uncertain.delete(name);
  }

  /** As a request does, or the timer. */
  tick(): void {
    this.#call([], (keeper) => { keeper.tick(); });
  }

  /** As the kernel's report of a change in the directory makes it. */
  look(): void {
    const isLost = this.isTaken;
    const takings = this.#takings;
    const leases = this.#call([], (keeper) => {
      keeper.look();
      return keeper.whyNotKnown() === null ? keeper.leases() : undefined;
    });
    // What was taken away in the middle of it is seen at the next look.
    if (leases === undefined || this.#takings > takings) return;
    if (!isLost) this.observer.expectLive(2, leases);
    else if (leases.length > 0) this.observer.violated(4, 'the lock was taken away, and a lease is live');
    if (leases.length === 0) this.observer.expectFree(2);
    if (isLost) this.acknowledged.clear();
    this.isTaken = false;
    this.observer.lookAtLock();
  }

  /** What the sidecar says of its leases. */
  leases(): readonly Lease[] {
    return this.#call([], (keeper) => keeper.leases()) ?? [];
  }

  found(name: string): { readonly live: Lease | undefined; readonly ended: EndedLease | undefined } {
    return this.#call([], (keeper) => ({ live: keeper.get(name), ended: keeper.getEnded(name) })) ?? { live: undefined, ended: undefined };
  }

  nextEndInMs(): number {
    const ends = this.observer.live().map(({ endsAtMs }) => endsAtMs);
    return ends.length === 0 ? TTL_MS : Math.min(...ends) - this.nowMs;
  }

  /** Time goes by, and timers fire. */
  advance(ms: number): void {
    this.clock.advance(ms);
    this.#call([], () => { jest.advanceTimersByTime(ms); });
    if (this.#process === null) this.kernel.endNeedlessGuards();
  }

  stop(release: boolean): void {
    this.#call(release ? [...this.acknowledged.keys()] : [], (keeper) => {
      user.regainPrivileges();
      keeper.stop(release);
      keeper.close();
      if (this.#process?.openFiles !== 0) this.observer.violated(9, 'files are open after the end');
    });
    this.crash();
  }

  /** The sidecar dies: at once, also in the middle of a call. */
  crash(aftermath: () => void = () => undefined): void {
    this.#aftermath = aftermath;
    this.#process?.die();
    if (this.#process?.isCalled !== true) this.#end();
  }

  /** All processes of its container die. */
  crashWithContainer(aftermath: () => void = () => undefined): void {
    this.crash(() => {
      this.kernel.endAllGuards();
      this.isFlockGone = true;
      aftermath();
    });
  }

  /** The device starts again; a lock directory on a tmpfs is empty then. */
  reboot(isTmpfs: boolean): void {
    this.crashWithContainer(() => {
      this.#boot += 1;
      this.acknowledged.clear();
      this.uncertain.clear();
      this.isTaken = false;
      this.#lostAtMs = -Infinity;
      if (!isTmpfs) return;
      this.others.forgetIn(this.directory);
      for (const name of readdirSync(this.directory)) rmSync(join(this.directory, name), { recursive: true });
    });
  }

  /**
   * In a directory that is not sticky nothing keeps the sidecar from removing what has come to a name after its last look: no system call
   * removes only a certain file. So it is for the legacy path, and docs/architecture.md says so.
   */
  forgiveLegacyPath({ name, args }: Operation): void {
    if (this.legacyPath === null || name !== 'unlinkSync') return;
    const path = String(args[0]);
    if (realpathSync(dirname(path)) === dirname(this.legacyPath)) this.others.forgive(this.legacyPath);
  }

  /** Somebody removes or replaces the journal, or the whole folder of the sidecar. */
  journalIsGone(isFolderGone: boolean): void {
    this.isJournalGone = true;
    this.isFolderGone ||= isFolderGone;
    this.#lostAtMs = -Infinity;
    if (this.#isRecovering) this.#nothingIsCertain();
  }

  remove(): void {
    if (this.#process !== null) this.crash();
    this.kernel.endAllGuards();
    this.disk.makeRoom();
    for (const name of readdirSync(this.disk.path)) rmSync(join(this.disk.path, name), { recursive: true });
  }

  /** @param names of the leases that the call may end or grant */
  #call<T>(names: readonly string[], action: (keeper: Keeper) => T): T | undefined {
    const process = this.#process;
    if (process === null) return undefined;
    const added = names.filter((name) => !this.uncertain.has(name));
    for (const name of added) this.uncertain.add(name);
    const before = this.#openings;
    const [result, leases] = process.call((keeper) => [action(keeper), keeper.leases()] as const) ?? [];
    if (process.isDying) this.#end();
    else if (this.#openings > before && leases !== undefined) this.#hasRecovered(leases);
    for (const name of leases === undefined ? [] : added) this.uncertain.delete(name);
    return result;
  }

  /** Nobody can know of the leases that were in a journal which is gone. */
  #nothingIsCertain(): void {
    for (const name of this.acknowledged.keys()) this.uncertain.add(name);
  }

  #end(): void {
    this.#process?.end();
    this.#process = null;
    this.#aftermath?.();
    this.#aftermath = null;
    this.observer.lookAtLock();
  }

  /** What the journal says to the next process has to be what the holders know. */
  #hasRecovered(leases: readonly Lease[]): void {
    this.isFlockGone = false;
    for (const name of this.uncertain) {
      const lease = leases.find((each) => each.name === name);
      if (lease === undefined) this.acknowledged.delete(name);
      else this.#acknowledge(lease);
    }
    this.uncertain.clear();
    // It may have been taken away after the sidecar has looked.
    if (this.isTaken) return;
    this.observer.expectLive(this.#boot > 1 ? 5 : 2, leases);
    for (const lease of leases) this.#checkGrace(lease);
    this.observer.lookAtLock();
  }

  #checkGrace(lease: Lease): void {
    const toldMs = this.acknowledged.get(lease.name)?.endsAtMs ?? 0;
    const foundMs = lease.endsAtMs ?? Infinity;
    // Time may have jumped while it was being recovered.
    if (foundMs < Math.max(toldMs, this.#startedAtMs + GRACE_MS)) this.observer.violated(2, `the lease ${lease.name} ends sooner than its holder was told`);
    if (foundMs > Math.max(toldMs, this.nowMs + GRACE_MS)) this.observer.violated(5, `the lease ${lease.name} ends later than its holder was told`);
    this.#acknowledge(lease);
  }

  #acknowledge({ id, name, endsAtMs }: Lease): Acknowledged {
    const acknowledged = { id, name, endsAtMs: endsAtMs ?? Infinity };
    this.acknowledged.set(name, acknowledged);
    this.uncertain.delete(name);
    return acknowledged;
  }

  #hear(event: KeeperEvent): void {
    if (event.type === 'store-opened') {
      this.#isRecovering = false;
      this.#openings += 1;
    }
    // Taken anew, after somebody has taken away what was not held yet.
    if (event.type === 'lease-acquired' && event.lock === 'taken' && this.observer.ourNames().length === this.names.length) this.isTaken = false;
    if (event.type === 'lease-acquired' && !event.recovered && this.nowMs < this.#lostAtMs + COOLDOWN_MS) {
      this.observer.violated(4, `the lease ${event.lease.name} was granted right after a loss`);
    }
    if (event.type !== 'lease-ended') return;
    const { name, id, ended } = event.lease;
    const known = this.acknowledged.get(name);
    if (ended.reason === 'lost') this.#lostAtMs = ended.atMs;
    if (ended.reason === 'lost' && !this.isTaken) this.observer.violated(2, `the lease ${name} was lost, and nobody has taken the lock`);
    if (known?.id !== id) return;
    if (ended.reason === 'expired' && known.endsAtMs > this.nowMs) this.observer.violated(5, `the lease ${name} has ended before its time`);
    this.acknowledged.delete(name);
  }

  #newKeeper(emit: (event: KeeperEvent) => void): Keeper {
    const keeper = new Keeper({
      clock: this.clock,
      timeline: new Timeline(this.clock),
      emit,
      openStore: () => openStore({ directory: this.directory, legacyPath: this.legacyPath }, user, { boot: `boot-${String(this.#boot)}`, nowMs: this.nowMs }),
      isFlocked: () => Promise.resolve(null),
      defaultTtlMs: TTL_MS,
      maxLeases: 4,
      restartGraceMs: GRACE_MS,
      whereToAsk: 'nobody',
    });
    keeper.addGate(lostCooldown(COOLDOWN_MS));
    return keeper;
  }
}
