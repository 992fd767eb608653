import type { Clock } from '../../../server/clock';
import { TimeZone } from '../../../server/time-zone';
import type { LeasePolicies, LeasePolicy } from '../../leases/policies';
import type { Allowances } from '../allowances';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import { Calendar } from './calendar';
import { scheduleOf, type TimeSettings } from './time-settings';
import type { SidecarEvent, WindowEvent } from '../../events/event';

declare const __BUILT_AT_MS__: number | undefined;

/**
 * How often the wall clock is looked at, in milliseconds, if nothing changes before: it may be set, and a timer does not
 * count the time that the device is suspended.
 */
const LOOK_EVERY_MS = 60_000;

const LEASE_NAME = '@window';

/** When updates are allowed, as things are now. Instants are milliseconds of the Unix epoch. */
export interface WindowStatus {
  readonly isOpen: boolean;
  /** The next opening; null while it is open, or if there is none, or if it cannot be known. */
  readonly opensAtWallMs: number | null;
  /** The next closing; null if there is none, or if it cannot be known. */
  readonly closesAtWallMs: number | null;
  readonly isFrozen: boolean;
  readonly timeZone: string;
}

/**
 * Holds the lease `@window` while no update window is open and nobody has allowed updates all the same. Without windows and freezes
 * updates are always allowed.
 */
export class WindowHolder {
  readonly #lease: WantedLease;
  /** Null while updates are always allowed. */
  #calendar: Calendar | null = null;
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
    policies.register(LEASE_NAME, { survivesDrain: true, deadline: 'pauses', end: () => this.#nextOpening() });
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
    const schedule = scheduleOf(times);
    this.#calendar = schedule === null ? null : new Calendar(schedule);
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
    const changesAtMs = status.isOpen ? status.closesAtWallMs : status.opensAtWallMs;
    const untilChangeMs = changesAtMs === null ? LOOK_EVERY_MS : changesAtMs - this.clock.wallMs();
    this.#timer = setTimeout(this.#check, Math.min(Math.max(Math.ceil(untilChangeMs), 1), LOOK_EVERY_MS)).unref();
  };

  /** What the wall clock says now; null while updates are always allowed. */
  status(): WindowStatus | null {
    const nowMs = this.clock.wallMs();
    const calendar = this.#calendar;
    if (calendar === null) return null;
    if (!isClockSet(nowMs)) {
      return { isOpen: false, opensAtWallMs: null, closesAtWallMs: null, isFrozen: false, timeZone: calendar.timeZone };
    }
    const isOpen = calendar.isOpen(nowMs);
    return {
      isOpen,
      opensAtWallMs: isOpen ? null : calendar.nextOpening(nowMs),
      closesAtWallMs: calendar.nextClosing(nowMs),
      isFrozen: calendar.isFrozen(nowMs),
      timeZone: calendar.timeZone,
    };
  }

  #nextOpening(): ReturnType<LeasePolicy['end']> {
    const opensAtWallMs = this.status()?.opensAtWallMs ?? null;
    return opensAtWallMs === null ? null : { atWallMs: opensAtWallMs, event: 'the window opens' };
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
    if (status === null || status.isOpen) return null;
    if (!isClockSet(this.clock.wallMs())) return 'the clock of the device is not set yet';
    return status.isFrozen ? 'updates are frozen today' : 'no update window is open';
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
