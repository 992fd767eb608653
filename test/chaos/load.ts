import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientDriver, Holder } from '../contract/client-driver';
import { Hold } from '../support/hold';
import { exchange, type Target } from '../support/http';
import { monotonicMs, type HistoryWriter } from './history';
import type { TimedClient } from './timed-clients';

/** A holder whose lease has been ended by force knows by then: a client takes a stream for broken after 30 s of silence, and tries for 30 s to come back to its lease. */
const TOLD_WITHIN_MS = 65_000;

/** Clients that come and go as apps do, and write down what they were told. What a failure means is for the history to say. */
export class Load {
  /** How many leases the clients of each kind were told that they have. */
  readonly granted = new Map<string, number>();
  /** The longest that a client has waited for the answer to a renewal, whatever it was. */
  longestRenewalMs = 0;
  #isOver = false;
  #hurry = (): void => undefined;
  readonly #hurried = new Promise<void>((resolve) => { this.#hurry = resolve; });
  #names = 0;
  readonly #running: Promise<void>[] = [];

  constructor(
    private readonly history: HistoryWriter,
    private readonly random: () => number,
  ) {}

  /** From now on a client of this kind acquires one lease after another, renews it for a while, and releases it or forgets it. */
  addTimed(client: TimedClient): void {
    this.#keepDoing(client.kind, (name) => this.#useTimed(client, name));
  }

  /** From now on a client of this kind holds the lock again and again, until it is done, is killed, or is told that the lock is lost. */
  addHolder(driver: ClientDriver, url: string): void {
    this.#keepDoing(driver.name, (name) => this.#useHolder(driver, name, url));
  }

  /** The same over plain HTTP, without coming back to a lease whose connection has broken. */
  addRawHold(target: () => Target): void {
    this.#keepDoing('raw hold', (name) => this.#useRawHold(target(), name));
  }

  /** From now on the live leases are listed again and again. */
  addLister(target: () => Target): void {
    this.#keepDoing('list', async () => {
      const fromMs = monotonicMs();
      const { status, body } = await exchange(target(), 'GET', '/v1/leases');
      const names = status === 200 ? (body.leases as { name: string }[]).map(({ name }) => name) : null;
      if (names !== null) this.history.saw({ kind: 'listed', names: new Set(names), fromMs, toMs: monotonicMs() });
      await sleep(this.random() * 500);
      return names !== null;
    });
  }

  /** From now on nobody holds a lease for longer than it takes. */
  hurry(): void {
    this.#hurry();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#hurry();
    await Promise.all(this.#running);
  }

  async #pause(ms: number): Promise<void> {
    await Promise.race([sleep(ms, undefined, { ref: false }), this.#hurried]);
  }

  /** @param use returns whether it was granted what it asked for; throws if it had no answer */
  #keepDoing(kind: string, use: (name: string) => Promise<boolean>): void {
    this.granted.set(kind, 0);
    const run = async (): Promise<void> => {
      while (!this.#isOver) {
        this.#names += 1;
        const wasGranted = await use(`${kind.replace(/\W+/g, '-')}-${this.#names}`).catch(() => false);
        if (wasGranted) this.granted.set(kind, (this.granted.get(kind) ?? 0) + 1);
        await sleep(this.random() * 500);
      }
    };
    this.#running.push(run());
  }

  async #useTimed(client: TimedClient, name: string): Promise<boolean> {
    const ttlMs = 1000 * (1 + Math.floor(this.random() * 5));
    const askedMs = monotonicMs();
    const grant = await client.acquire(name, ttlMs / 1000);
    if (grant === null) return false;
    const lease = this.history.acknowledged(name, askedMs, askedMs + ttlMs);
    const isBrief = this.random() < 0.6;
    for (let renewals = isBrief ? 0 : Math.floor(this.random() * 4); renewals > 0; renewals -= 1) {
      await this.#pause(this.random() * 0.8 * ttlMs);
      const fromMs = monotonicMs();
      const outcome = await grant.renew().catch(() => 'unknown');
      const toMs = monotonicMs();
      this.longestRenewalMs = Math.max(this.longestRenewalMs, toMs - fromMs);
      if (outcome === 'ended') this.history.saw({ kind: 'ended', name, fromMs, toMs });
      if (outcome !== 'renewed') break;
      this.history.saw({ kind: 'live', name, fromMs, toMs });
      lease.untilMs = Math.max(lease.untilMs, fromMs + ttlMs);
    }
    await this.#pause(this.random() * (isBrief ? 50 : 0.5 * ttlMs));
    if (isBrief || this.random() < 0.7) {
      lease.untilMs = Math.min(lease.untilMs, monotonicMs());
      await grant.release().catch(() => undefined);
    }
    return true;
  }

  async #useHolder(driver: ClientDriver, name: string, url: string): Promise<boolean> {
    const askedMs = monotonicMs();
    const holder = driver.hold({ environment: { UPDATE_LOCK_URL: url }, name, waitSeconds: 5 });
    try {
      await holder.started();
    } catch {
      return false;
    }
    const lease = this.history.acknowledged(name, askedMs, Infinity);
    const outcome = holder.outcome();
    const isOverBy = async (ms: number): Promise<boolean> => Promise.race([outcome.then(() => true), this.#pause(ms).then(() => false)]);
    const longestMs = this.random() < 0.1 ? 100_000 : this.random() < 0.5 ? 3000 : 50;
    let isOver = await isOverBy(this.random() * longestMs);
    if (!isOver && this.random() < 0.3) {
      holder.kill('SIGSTOP');
      await sleep(this.random() * 2000);
      holder.kill('SIGCONT');
      isOver = await isOverBy(this.random() * 2000);
    }
    lease.untilMs = monotonicMs();
    if (this.random() < 0.3) killHolder(holder);
    else holder.finish();
    // One that was killed says nothing.
    const kind = await outcome.then((known) => known.kind, () => null);
    const { untilMs } = lease;
    // If it was told to finish before, the lock may have been lost since.
    if (isOver && kind === 'lost') this.history.saw({ kind: 'ended', name, fromMs: untilMs, toMs: untilMs });
    if (kind === 'held') this.history.saw({ kind: 'live', name, fromMs: untilMs - TOLD_WITHIN_MS, toMs: untilMs });
    return true;
  }

  async #useRawHold(target: Target, name: string): Promise<boolean> {
    const askedMs = monotonicMs();
    const hold = await Hold.open(target, name);
    if (hold.status !== 200) return false;
    await hold.line('held');
    const lease = this.history.acknowledged(name, askedMs, Infinity);
    await Promise.race([hold.ended(), this.#pause(this.random() * (this.random() < 0.5 ? 50 : 4000))]);
    lease.untilMs = monotonicMs();
    if (hold.lines.at(-1)?.['event'] === 'ended') this.history.saw({ kind: 'ended', name, fromMs: lease.untilMs, toMs: lease.untilMs });
    hold.close();
    return true;
  }
}

/** What the client ran may live on; the end of its input ends it. */
function killHolder(holder: Holder): void {
  holder.kill();
  holder.finish();
}
