import { isClockSet } from '../../build-time';
import type { Clock } from '../../clock';
import { WINDOW_LEASE } from '../../leases/lease';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import { Calendar, type Schedule } from './calendar';

/** What the wall clock says of updates has changed, which may leave the lock as it is. */
export interface WindowEvent {
  readonly type: 'window-turned';
  /** Why updates are held back; null since they are allowed. */
  readonly reason: string | null;
}

/**
 * How often the wall clock is looked at, in milliseconds, if nothing changes before: it may be set, and a timer does not
 * count the time that the device is suspended.
 */
const LOOK_EVERY_MS = 60_000;

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

/** Holds the lease `@window` while no update window is open. */
export class WindowHolder {
  readonly #lease: WantedLease;
  readonly #calendar: Calendar;
  #timer: NodeJS.Timeout | undefined;
  /** As it was when it was looked at last; undefined before that. */
  #reasonBefore: string | null | undefined;

  constructor(
    private readonly clock: Clock,
    keeper: LeaseKeeper,
    schedule: Schedule,
    private readonly emit: (event: WindowEvent) => void,
  ) {
    this.#lease = new WantedLease(keeper, WINDOW_LEASE);
    this.#calendar = new Calendar(schedule);
  }

  /** To be called whenever the journal has been opened, and when the lease has ended, and otherwise by its own timer. */
  readonly check = (): void => {
    clearTimeout(this.#timer);
    const status = this.#read();
    const { isOpen, opensAtWallMs, closesAtWallMs } = status;
    const reason = this.#reason(status);
    if (this.#reasonBefore !== undefined && reason !== this.#reasonBefore) this.emit({ type: 'window-turned', reason });
    this.#reasonBefore = reason;
    if (reason === null) this.#lease.letGo();
    else this.#lease.want(reason);
    const changesAtMs = isOpen ? closesAtWallMs : opensAtWallMs;
    const untilChangeMs = changesAtMs === null ? LOOK_EVERY_MS : changesAtMs - this.clock.wallMs();
    this.#timer = setTimeout(this.check, Math.min(Math.max(Math.ceil(untilChangeMs), 1), LOOK_EVERY_MS)).unref();
  };

  /** To be called when the lease has ended. */
  onEnded(): void {
    this.#lease.onEnded();
  }

  /** As it is now, with the lease to match. */
  status(): WindowStatus {
    const status = this.#read();
    // The wall clock was set, or a day has begun, since we looked last.
    if (this.#reason(status) !== this.#lease.wantedFor) this.check();
    return status;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #read(): WindowStatus {
    const nowMs = this.clock.wallMs();
    const calendar = this.#calendar;
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

  /** Why updates are held back; null while they are allowed. */
  #reason({ isOpen, isFrozen }: WindowStatus): string | null {
    if (isOpen) return null;
    if (!isClockSet(this.clock.wallMs())) return 'the clock of the device is not set yet';
    return isFrozen ? 'updates are frozen today' : 'no update window is open';
  }
}
