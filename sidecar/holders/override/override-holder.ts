import type { Clock } from '../../../server/clock';
import type { OverrideEvent, SidecarEvent } from '../../events/event';
import type { LeaseEnd, LeasePolicies } from '../../leases/policies';
import type { StateDirectory } from '../../state/state-directory';
import type { Allowance, Allowances } from '../allowances';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import { countedFrom, isInForce, isOver, parseStoredOverride, type Override, type StoredOverride } from './override';

const LEASE_NAME = '@override';

/** In the state directory. */
const FILE = 'override';

/** How often the wall clock is looked at, in milliseconds, if nothing ends before: it may be set. */
const LOOK_EVERY_MS = 60_000;

export interface OverrideHolderOptions {
  readonly clock: Clock;
  readonly keeper: LeaseKeeper;
  readonly policies: LeasePolicies;
  readonly allowances: Allowances;
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  readonly emit: (event: OverrideEvent | { readonly type: 'allowance-changed' }) => void;
}

/**
 * The override by hand, of which there is one at a time. With `hold` the lease `@override` holds the lock; with `allow` the
 * holders that go by the clock let go. It ends by the wall clock, and outlives restarts and reboots.
 */
export class OverrideHolder {
  readonly #lease: WantedLease;
  #override: Override | null;
  #wasAllowed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: OverrideHolderOptions) {
    const { keeper, policies, allowances, state } = options;
    this.#lease = new WantedLease(keeper, LEASE_NAME);
    this.#override = state.read(FILE, parseStoredOverride)?.override ?? null;
    // The owner of the device wants no update now, however long one has waited.
    policies.register(LEASE_NAME, { survivesDrain: true, deadline: 'pauses', end: () => this.#end() });
    allowances.add(() => this.#allowance());
  }

  /** The override as it counts now, in force or not; null if there is none, or if it is over. */
  get current(): Override | null {
    const nowMs = this.options.clock.wallMs();
    return this.#override === null || isOver(this.#override, nowMs) ? null : countedFrom(this.#override, nowMs);
  }

  /** The override that has its effect now. */
  get inForce(): Override | null {
    const { current } = this;
    return current !== null && isInForce(current, this.options.clock.wallMs()) ? current : null;
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'store-opened') this.#check();
    if (event.type === 'lease-ended' && event.lease.name === LEASE_NAME) this.#lease.onEnded();
  }

  /** Gives a new override, in place of a former one, from now on. */
  set({ updates, reason, forMs }: { readonly updates: Override['updates']; readonly reason: string; readonly forMs: number }, peer: string): void {
    const sinceWallMs = Math.round(this.options.clock.wallMs());
    this.#remember({ updates, reason, sinceWallMs, untilWallMs: sinceWallMs + Math.round(forMs) });
    this.options.emit({ type: 'override-given', updates, reason, forMs, peer });
    this.#check();
  }

  /** Ends the override before its time, if there is one. */
  clear(peer: string): void {
    this.look();
    if (this.#override === null) return;
    const { updates } = this.#override;
    this.#remember(null);
    this.options.emit({ type: 'override-ended', updates, peer });
    this.#check();
  }

  /** Lets lease and allowance follow the wall clock: nothing tells us when it is set. */
  look(): void {
    if (this.#override !== null) this.#check();
  }

  #check(): void {
    clearTimeout(this.#timer);
    const nowMs = this.options.clock.wallMs();
    this.#catchUp(nowMs);
    const { inForce } = this;
    if (inForce?.updates === 'hold') this.#lease.want(inForce.reason === '' ? 'updates are held by hand' : inForce.reason);
    else this.#lease.letGo();
    const isAllowed = inForce?.updates === 'allow';
    if (isAllowed !== this.#wasAllowed) this.options.emit({ type: 'allowance-changed' });
    this.#wasAllowed = isAllowed;
    if (this.#override === null) return;
    const delayMs = Math.min(Math.max(Math.ceil(this.#override.untilWallMs - nowMs), 1), LOOK_EVERY_MS);
    this.#timer = setTimeout(() => { this.#check(); }, delayMs).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Forgets an override that is over, and remembers from when one counts that was given while the clock was not set. */
  #catchUp(nowMs: number): void {
    if (this.#override === null) return;
    const { updates } = this.#override;
    if (isOver(this.#override, nowMs)) {
      this.#remember(null);
      this.options.emit({ type: 'override-ended', updates, peer: null });
      return;
    }
    const counted = countedFrom(this.#override, nowMs);
    if (counted !== this.#override) this.#remember(counted);
  }

  #remember(override: Override | null): void {
    this.#override = override;
    const stored: StoredOverride = { version: 1, override };
    this.options.state.write(FILE, stored);
  }

  #allowance(): Allowance | null {
    const { inForce } = this;
    return inForce?.updates === 'allow' ? { by: 'override', reason: inForce.reason, untilWallMs: inForce.untilWallMs } : null;
  }

  #end(): LeaseEnd | null {
    const { inForce } = this;
    return inForce === null ? null : { atWallMs: inForce.untilWallMs, event: 'the override ends' };
  }
}
