import type { EndReason } from '../../sidecar/leases/lease';

export const MODEL_LIMITS = { defaultTtlMs: 5000, maxLeases: 4, restartGraceMs: 3000, cooldownMs: 2000 };

interface ModelLease {
  readonly sinceMs: number;
  readonly ttlMs: number;
  readonly endsAtMs: number;
  readonly renewals: number;
}

export interface Ask {
  readonly name: string;
  readonly ttlMs: number | undefined;
  readonly only: 'new' | 'renewal' | undefined;
}

/** What the keeper should do, as simply as it can be said: a map of leases, looked through each time. */
export class KeeperModel {
  readonly live = new Map<string, ModelLease>();
  readonly ended = new Map<string, { reason: EndReason; atMs: number }>();
  nowMs = 1000;
  #lostAtMs = -Infinity;

  advance(ms: number): void {
    this.nowMs += ms;
    for (const [name, { endsAtMs }] of this.live) if (endsAtMs <= this.nowMs) this.#end(name, 'expired', endsAtMs);
  }

  /** `new`, `renewed` or the code of the refusal. */
  acquire({ name, ttlMs, only }: Ask): string {
    const live = this.live.get(name);
    if (live === undefined) {
      if (only === 'renewal') return 'precondition-failed';
      if (this.nowMs < this.#lostAtMs + MODEL_LIMITS.cooldownMs) return 'cooldown';
      if (this.live.size >= MODEL_LIMITS.maxLeases) return 'too-many-leases';
    } else if (only === 'new') return 'precondition-failed';
    const newTtlMs = ttlMs ?? live?.ttlMs ?? MODEL_LIMITS.defaultTtlMs;
    this.live.set(name, {
      sinceMs: live?.sinceMs ?? this.nowMs,
      ttlMs: newTtlMs,
      endsAtMs: this.nowMs + newTtlMs,
      renewals: live === undefined ? 0 : live.renewals + 1,
    });
    return live === undefined ? 'new' : 'renewed';
  }

  release(name: string): boolean {
    if (!this.live.has(name)) return false;
    this.#end(name, 'released', this.nowMs);
    return true;
  }

  lose(): void {
    if (this.live.size === 0) return;
    for (const name of [...this.live.keys()]) this.#end(name, 'lost', this.nowMs);
    this.#lostAtMs = this.nowMs;
  }

  /** A new process: time has gone by without anybody ending anything; what is still live gets the grace. */
  restart(downMs: number): void {
    this.advance(downMs);
    for (const [name, lease] of this.live) {
      this.live.set(name, { ...lease, endsAtMs: Math.max(lease.endsAtMs, this.nowMs + MODEL_LIMITS.restartGraceMs) });
    }
  }

  #end(name: string, reason: EndReason, atMs: number): void {
    this.live.delete(name);
    this.ended.set(name, { reason, atMs });
  }
}
