import type { EndReason } from '../../sidecar/leases/lease';

export const MODEL_LIMITS = { ttlMs: 60_000, maxLeases: 4, restartGraceMs: 3000, cooldownMs: 15_000 };

export interface ModelLease {
  readonly sinceMs: number;
  readonly ttlMs: number;
  readonly endsAtMs: number;
  readonly renewals: number;
}

export interface Ask {
  readonly name: string;
  readonly ttlMs?: number | undefined;
  readonly only?: 'new' | 'renewal' | undefined;
}

/** What somebody else has put at a name of the lock: the file of an update, or any other. */
export type Others = 'updating' | 'foreign-lock';

/** What the keeper should do, as simply as it can be said: a map of leases, looked through each time, and who else has a name of the lock. */
export class KeeperModel {
  readonly live = new Map<string, ModelLease>();
  readonly ended = new Map<string, { reason: EndReason; atMs: number }>();
  /** In the order in which the names are taken. */
  readonly others: (Others | null)[] = [null, null];
  isDiskFull = false;
  #lostAtMs = -Infinity;

  constructor(public nowMs: number) {}

  advance(ms: number): void {
    this.nowMs += ms;
    for (const [name, { endsAtMs }] of this.live) if (endsAtMs <= this.nowMs) this.#end(name, 'expired', endsAtMs);
  }

  /** Null, or the code of the refusal. */
  acquire({ name, ttlMs, only }: Ask): string | null {
    const live = this.live.get(name);
    const isPreconditionMet = only === undefined || (only === 'new') === (live === undefined);
    const refusal = isPreconditionMet ? this.#whyNotGranted(live) : 'precondition-failed';
    if (refusal !== null) return refusal;
    const newTtlMs = ttlMs ?? live?.ttlMs ?? MODEL_LIMITS.ttlMs;
    this.live.set(name, {
      sinceMs: live?.sinceMs ?? this.nowMs,
      ttlMs: newTtlMs,
      endsAtMs: this.nowMs + newTtlMs,
      renewals: live === undefined ? 0 : live.renewals + 1,
    });
    return null;
  }

  release(name: string): void {
    if (this.live.has(name)) this.#end(name, 'released', this.nowMs);
  }

  /** Somebody else puts a file at a name, over the lock if need be, or removes what is there. */
  change(index: number, to: Others | null): void {
    this.others[index] = to;
    if (this.live.size === 0) return;
    for (const name of [...this.live.keys()]) this.#end(name, 'lost', this.nowMs);
    this.#lostAtMs = this.nowMs;
  }

  /** Whether a name is free for somebody who does not force. */
  isFree(index: number): boolean {
    return this.live.size === 0 && this.others[index] === null;
  }

  /** A new process: what is still live gets the grace. */
  restart(): void {
    for (const [name, lease] of this.live) {
      this.live.set(name, { ...lease, endsAtMs: Math.max(lease.endsAtMs, this.nowMs + MODEL_LIMITS.restartGraceMs) });
    }
  }

  /** Nothing of the directory is left. */
  reboot(): void {
    this.live.clear();
    this.ended.clear();
    this.others.fill(null);
    this.#lostAtMs = -Infinity;
  }

  #whyNotGranted(live: ModelLease | undefined): string | null {
    if (live !== undefined) return null;
    const isCooling = this.nowMs < this.#lostAtMs + MODEL_LIMITS.cooldownMs;
    const isTooMany = this.live.size >= MODEL_LIMITS.maxLeases;
    const refusal = isCooling ? 'cooldown' : isTooMany ? 'too-many-leases' : this.isDiskFull ? 'cannot-lock' : null;
    // Of an update everybody is told first.
    if (refusal !== null) return this.others.includes('updating') ? 'updating' : refusal;
    return this.others.find((other) => other !== null) ?? null;
  }

  #end(name: string, reason: EndReason, atMs: number): void {
    this.live.delete(name);
    this.ended.set(name, { reason, atMs });
  }
}
