import type { Clock } from '../../server/clock';
import type { SidecarEvent } from '../events/event';
import type { Gate } from '../leases/gate';

/** A file of the Supervisor or Helios that goes sooner than this was an attempt, and no update. Milliseconds. */
const STANDS_FOR_MS = 2000;

/** An update that takes the lock again does so within this time, in milliseconds. */
const COMES_BACK_WITHIN_MS = 60_000;

/** The same after the device went down in the middle of one: the Supervisor has to start first. Milliseconds. */
const COMES_BACK_AFTER_BOOT_WITHIN_MS = 600_000;

const STATE_NAME = 'applying';

/** What is kept while an update is being applied, null while none is. */
interface Mark {
  readonly version: 1;
  /** Monotonic milliseconds, of that boot. */
  readonly applying: { readonly boot: string; readonly opensAtMs: number } | null;
}

/** The update has given back the lock, and may take it again. */
export interface Gap {
  readonly kind: 'gap';
  readonly opensAtMs: number;
}

type Phase =
  | { readonly kind: 'none' }
  /** The file is there, but it may be that of an attempt. */
  | { readonly kind: 'attempt' }
  /** The file is there, and an update is being applied; the gate opens no sooner than at that time, unless nothing is pending. */
  | { readonly kind: 'standing'; readonly opensAtMs: number }
  | Gap;

export interface ApplyingOptions {
  readonly clock: Clock;
  /** The id of this boot. */
  readonly boot: string;
  readonly state: { read<T>(name: string, parse: (json: unknown) => T | null): T | null; write(name: string, value: Mark): void };
  readonly keeper: { readonly heldSinceMs: number | null; readonly isUpdating: boolean };
  /** Whether the Supervisor can be asked if anything is pending; otherwise an update has ended when its file goes. */
  readonly hasApi: boolean;
  readonly emit: (event: { readonly type: 'update-paused' } | { readonly type: 'gate-opened' }) => void;
}

/**
 * Keeps everybody from the lock while an update is being applied, also where the Supervisor gives the lock back in the middle of one
 * and takes it again (`requires-reboot`), and where the device went down in the middle of one: the Supervisor then needs the lock to
 * create the containers that are missing.
 */
export class Applying {
  #phase: Phase = { kind: 'none' };
  #isMarked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ApplyingOptions) {
    const { state, clock, boot } = options;
    const mark = state.read(STATE_NAME, parseMark)?.applying ?? null;
    if (mark === null) return;
    const latestMs = clock.monotonicMs() + COMES_BACK_AFTER_BOOT_WITHIN_MS;
    // Whether its file is there is known once the directory has been opened.
    this.#become({ kind: 'standing', opensAtMs: mark.boot === boot ? Math.min(mark.opensAtMs, latestMs) : latestMs });
  }

  /** Not null while an update that has given back the lock may take it again. */
  get gap(): Gap | null {
    return this.#phase.kind === 'gap' ? this.#phase : null;
  }

  readonly gate: Gate = ({ nowMs }) => {
    const { hasApi, keeper } = this.options;
    const phase = this.#phase;
    // A lock that is ours shows that the update is over.
    if (phase.kind === 'none' || phase.kind === 'attempt' || keeper.heldSinceMs !== null) return null;
    if (phase.kind === 'gap' && nowMs >= phase.opensAtMs) return null;
    const until = hasApi ? 'the Supervisor says that nothing is pending' : 'it has had the time for that';
    return {
      code: 'updating',
      detail: `The update may need the lock again, so no lease is granted until ${until}.`,
      opensAtMs: hasApi || phase.kind === 'standing' ? null : phase.opensAtMs,
    };
  };

  onEvent(event: SidecarEvent): void {
    if (event.type === 'lock-turned') this.#onTurn(event.to === 'updating');
    if (event.type === 'file-left-behind') this.#onLeftBehind();
    if (event.type === 'store-opened') this.#resume();
  }

  /** To be called when the Supervisor has said in this gap that nothing is pending. */
  end(gap: Gap): void {
    if (this.#phase === gap) this.#open();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Finds out how it is with an update that a former process, perhaps one of the boot before, has seen. */
  #resume(): void {
    const { keeper, clock } = this.options;
    const phase = this.#phase;
    if (phase.kind !== 'standing') return;
    if (keeper.heldSinceMs !== null) this.#open();
    // A gap that has begun already is not made longer by restarts.
    else if (!keeper.isUpdating) this.#pause(phase.opensAtMs > clock.monotonicMs() ? phase.opensAtMs : this.#comesBackByMs());
  }

  /** The file of the Supervisor or Helios has come, or has gone. */
  #onTurn(isThere: boolean): void {
    const phase = this.#phase;
    if (isThere) {
      if (phase.kind === 'none') this.#become({ kind: 'attempt' });
      if (phase.kind === 'gap') this.#become({ kind: 'standing', opensAtMs: phase.opensAtMs });
      return;
    }
    if (phase.kind === 'attempt') this.#become({ kind: 'none' });
    if (phase.kind === 'standing') this.#pause(Math.max(phase.opensAtMs, this.#comesBackByMs()));
  }

  /** A file of Helios that turns out to be stale is not that of an update. */
  #onLeftBehind(): void {
    const { kind } = this.#phase;
    if (!this.options.keeper.isUpdating && (kind === 'attempt' || kind === 'standing')) this.#open();
  }

  /** When an update that has just given back the lock will have taken it again; now if nothing could tell that it is over. */
  #comesBackByMs(): number {
    const { clock, hasApi } = this.options;
    return clock.monotonicMs() + (hasApi ? COMES_BACK_WITHIN_MS : 0);
  }

  #pause(opensAtMs: number): void {
    const { clock, emit } = this.options;
    if (opensAtMs <= clock.monotonicMs()) {
      this.#open();
      return;
    }
    this.#become({ kind: 'gap', opensAtMs });
    emit({ type: 'update-paused' });
  }

  #open(): void {
    this.#become({ kind: 'none' });
    this.options.emit({ type: 'gate-opened' });
  }

  #become(phase: Phase): void {
    clearTimeout(this.#timer);
    this.#phase = phase;
    if (phase.kind === 'attempt') {
      this.#timer = setTimeout(() => { this.#become({ kind: 'standing', opensAtMs: 0 }); }, STANDS_FOR_MS).unref();
    }
    if (phase.kind === 'gap') {
      const leftMs = Math.ceil(phase.opensAtMs - this.options.clock.monotonicMs());
      this.#timer = setTimeout(() => { this.#open(); }, Math.max(leftMs, 0)).unref();
    }
    this.#mark();
  }

  /** Written down while an update is being applied, its gaps included, so that a start in the middle of it knows. */
  #mark(): void {
    const { state, boot } = this.options;
    const phase = this.#phase;
    const isApplying = phase.kind === 'standing' || phase.kind === 'gap';
    if (!isApplying && !this.#isMarked) return;
    this.#isMarked = isApplying;
    state.write(STATE_NAME, { version: 1, applying: isApplying ? { boot, opensAtMs: phase.opensAtMs } : null });
  }
}

function parseMark(json: unknown): Mark | null {
  if (typeof json !== 'object' || json === null) return null;
  const { version, applying } = json as Record<string, unknown>;
  if (version !== 1 || typeof applying !== 'object') return null;
  if (applying === null) return { version, applying };
  const { boot, opensAtMs } = applying as Record<string, unknown>;
  return typeof boot === 'string' && typeof opensAtMs === 'number' ? { version, applying: { boot, opensAtMs } } : null;
}
