import type { Clock } from '../../../server/clock';
import { TimeZone } from '../../../server/time-zone';
import type { LeaseEnd, LeasePolicies } from '../../leases/policies';
import type { Allowances } from '../allowances';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import { AllowedTimes, type ClosedBy, type WindowStatus } from './allowed-times';
import type { TimeSettings } from './time-settings';
import type { SidecarEvent, WindowEvent } from '../../events/event';

declare const __BUILT_AT_MS__: number | undefined;

/**
 * How often the wall clock is looked at, in milliseconds, if nothing changes before: it may be set, and a timer does not
 * count the time that the device is suspended.
 */
const LOOK_EVERY_MS = 60_000;

const LEASE_NAME = '@window';

const REASONS: Readonly<Record<ClosedBy, string>> = {
  never: 'nobody has allowed updates',
  clock: 'the clock of the device is not set yet',
  freeze: 'updates are frozen today',
  time: 'no update window is open',
};

/**
 * Holds the lease `@window` while no update window is open and nobody has allowed updates all the same. Without windows and freezes
 * updates are always allowed.
 */
export class WindowHolder {
  readonly #lease: WantedLease;
  /** Null while updates are always allowed. */
  #times: AllowedTimes | null = null;
  #zone: TimeZone;
  #timer: NodeJS.Timeout | undefined;
  /** Why the window was closed at the last look, null if it was open; undefined before that. */
  #closedBefore: string | null | undefined;

  constructor(
    private readonly clock: Clock,
    keeper: LeaseKeeper,
    policies: LeasePolicies,
    private readonly allowances: Allowances,
    times: TimeSettings,
    private readonly emit: (event: WindowEvent) => void,
  ) {
    this.#lease = new WantedLease(keeper, LEASE_NAME);
    this.#zone = new TimeZone(times.timeZone);
    this.#use(times);
    // The owner of the device wants no update now, however long one has waited.
    policies.register(LEASE_NAME, { survivesDrain: true, deadline: 'pauses', end: () => this.#end() });
  }

  /** The zone of times in words, with and without windows. */
  get zone(): TimeZone {
    return this.#zone;
  }

  /** Goes by other settings from now on. */
  setTimes(times: TimeSettings): void {
    this.#use(times);
    // Before the lock is opened there is no lease to take.
    if (this.#closedBefore !== undefined) this.#check();
  }

  #use(times: TimeSettings): void {
    this.#times = times.windows === null && times.freezes === null ? null : new AllowedTimes(times);
    this.#zone = new TimeZone(times.timeZone);
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'store-opened' || event.type === 'allowance-changed') this.#check();
    if (event.type === 'lease-ended' && event.lease.name === LEASE_NAME) this.#lease.onEnded();
  }

  /** Lets the lease follow the wall clock, if that now says otherwise: nothing tells us when it is set. */
  look(): void {
    const closed = this.#whyClosed(this.status());
    if (closed !== this.#closedBefore || this.#wantedFor(closed) !== this.#lease.wantedFor) this.#check();
  }

  readonly #check = (): void => {
    clearTimeout(this.#timer);
    const status = this.status();
    const closed = this.#whyClosed(status);
    if (this.#closedBefore !== undefined && closed !== this.#closedBefore) this.emit({ type: 'window-turned', reason: closed });
    this.#closedBefore = closed;
    const wanted = this.#wantedFor(closed);
    if (wanted === null) this.#lease.letGo();
    else this.#lease.want(wanted);
    if (status === null) return;
    const lookInMs = Math.min(Math.max(Math.ceil(status.changesInMs ?? LOOK_EVERY_MS), 1), LOOK_EVERY_MS);
    this.#timer = setTimeout(this.#check, lookInMs).unref();
  };

  /** What the clocks say now; null while updates are always allowed. */
  status(): WindowStatus | null {
    const wallMs = this.clock.wallMs();
    return this.#times?.at({ wallMs, monotonicMs: this.clock.monotonicMs(), isClockSet: isClockSet(wallMs) }) ?? null;
  }

  #end(): LeaseEnd | null {
    const status = this.status();
    if (status === null) return null;
    if (status.closedBy === 'never') return { atWallMs: null, event: 'somebody allows updates', isUpToPeople: true };
    if (status.opensAtWallMs !== null) return { atWallMs: status.opensAtWallMs, event: 'the window opens' };
    return status.opensAtBoot && status.closedBy === 'time' ? { atWallMs: null, event: 'the device boots again' } : null;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Why the lease is wanted; null if it is not. An allowance does not open the window, but lets updates through all the same. */
  #wantedFor(closed: string | null): string | null {
    return this.allowances.current() === null ? closed : null;
  }

  /** Why the window is closed; null while it is open. */
  #whyClosed(status: WindowStatus | null): string | null {
    const closedBy = status?.closedBy ?? null;
    return closedBy === null ? null : REASONS[closedBy];
  }
}

/** When the sidecar was built, in milliseconds of the Unix epoch; 0 when it was not built. */
export const BUILT_AT_MS = typeof __BUILT_AT_MS__ === 'undefined' ? 0 : __BUILT_AT_MS__;

/**
 * Whether a wall clock that reads this may have been set. A device without a battery starts in the past, at 1970 or at the
 * time at which its system was built, and before our own build is a time that no clock which is right ever reads.
 */
export function isClockSet(nowMs: number, builtAtMs = BUILT_AT_MS): boolean {
  return nowMs >= builtAtMs;
}
