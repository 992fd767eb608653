import type { Clock } from '../../../server/clock';
import { formatDuration } from '../../../server/duration';
import type { SidecarEvent, SoakEvent } from '../../events/event';
import { shortCommit } from '../../events/phrases';
import type { LeaseEnd, LeasePolicies } from '../../leases/policies';
import type { WaitingKind } from '../../leases/waiting';
import type { StateDirectory } from '../../state/state-directory';
import type { Allowances } from '../allowances';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import { isClockSet } from '../windows/window-holder';
import { decide, WITHOUT_ANSWER_MS, type Decision } from './decision';
import { afterSight, counted, leftMs, type Now, type Soak } from './soak';
import { parseStoredSoak, type StoredSoak } from './stored-soak';

const LEASE_NAME = '@soak';

/** In the state directory. */
const FILE = 'soak';

/** How often the clocks are looked at, in milliseconds, while a release soaks: the wall clock may be set, and a suspend stops timers. */
const LOOK_EVERY_MS = 60_000;

/** How often the count is written down, in milliseconds: at most so much is lost at a reboot where the clock is not set. */
const WRITE_EVERY_MS = 600_000;

const NO_ANSWER = 'it has not answered yet';

/** What the Supervisor has said, or why it has not. */
export type SupervisorNews =
  /** `target` is null where the Supervisor was not asked for it, since nothing waits: see {@link SoakHolder.isTargetWanted}. */
  | { readonly ok: true; readonly target: string | null; readonly runs: string | null; readonly waiting: readonly WaitingKind[] }
  /** `isTooOld`: it is not going to. */
  | { readonly ok: false; readonly problem: string; readonly isTooOld: boolean };

export interface SoakHolderOptions {
  /** How long a release has to wait, in milliseconds. */
  readonly requiredMs: number;
  readonly clock: Clock;
  /** The id of this boot. */
  readonly boot: string;
  readonly keeper: LeaseKeeper;
  readonly policies: LeasePolicies;
  readonly allowances: Allowances;
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  readonly emit: (event: SoakEvent) => void;
}

/** Holds the lease `@soak`, except while a release waits that the device first saw long enough ago, or only a reboot of the host OS. */
export class SoakHolder {
  readonly #lease: WantedLease;
  #soak: Soak | null;
  #waiting: readonly WaitingKind[] = [];
  /** Since when the Supervisor has not said what the device is to have, in monotonic milliseconds; null while it does. */
  #silentSinceMs: number | null;
  /** Why it has not; null if it was not asked yet, or says so. */
  #problem: string | null = null;
  #isTooOld = false;
  #isOpen = false;
  /** The release that soaked at the last look, and whether none could. */
  #soaking: string | null = null;
  #isOff = false;
  #writtenAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SoakHolderOptions) {
    const { clock, keeper, policies, state } = options;
    this.#lease = new WantedLease(keeper, LEASE_NAME);
    const stored = state.read(FILE, parseStoredSoak)?.soak ?? null;
    this.#soak = stored === null ? null : counted(stored, this.#now());
    this.#silentSinceMs = clock.monotonicMs();
    // The release has not waited long enough, whatever it waits for.
    policies.register(LEASE_NAME, { survivesDrain: true, deadline: 'pauses', end: () => this.#end() });
  }

  /** Whether the Supervisor must also be asked for the release that the device is to have, while nothing waits and this one runs. */
  isTargetWanted(runs: string | null): boolean {
    return this.#soak === null || this.#soak.target !== this.#soak.runs || (runs !== null && runs !== this.#soak.runs);
  }

  /** Why releases are not held back; null if they are. */
  problem(): string | null {
    const { because, holds } = this.#decide();
    if (because !== 'unknown' || holds) return null;
    if (this.#isTooOld) return `Releases do not soak: ${this.#problem ?? ''}.`;
    return `Releases do not soak: the Supervisor does not say which one the device is to have (${this.#problem ?? NO_ANSWER}).`;
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'store-opened') {
      this.#isOpen = true;
      this.#check();
    }
    if (event.type === 'allowance-changed') this.#check();
    if (event.type === 'lease-ended' && event.lease.name === LEASE_NAME) this.#lease.onEnded();
  }

  /** Takes over what the Supervisor has said. */
  receive(news: SupervisorNews): void {
    this.#isTooOld = !news.ok && news.isTooOld;
    if (news.ok) {
      this.#silentSinceMs = this.#problem = null;
      this.#waiting = news.waiting;
      if (news.target !== null) this.#see(news.target, news.runs);
    } else {
      this.#silentSinceMs ??= this.options.clock.monotonicMs();
      this.#problem = news.problem;
    }
    this.#check();
  }

  /** Lets the lease follow the wall clock: nothing tells us when it is set. */
  look(): void {
    if (this.#wantedFor(this.#decide()) !== this.#lease.wantedFor) this.#check();
  }

  close(): void {
    clearTimeout(this.#timer);
    if (this.#soaking !== null) this.#keepCount(0);
  }

  #see(target: string, runs: string | null): void {
    const { requiredMs, emit } = this.options;
    const before = this.#soak;
    const now = this.#now();
    const soak = afterSight(before, { target, runs }, now);
    this.#soak = soak;
    if (soak.target === before?.target && soak.runs === before.runs) return;
    this.#keep(soak);
    const forMs = leftMs(soak, requiredMs, now);
    if (soak.target !== before?.target && forMs > 0) emit({ type: 'soak-began', commit: target, forMs });
  }

  #check(): void {
    clearTimeout(this.#timer);
    if (!this.#isOpen) return;
    const decision = this.#decide();
    this.#tell(decision);
    const wanted = this.#wantedFor(decision);
    if (wanted === null) this.#lease.letGo();
    else this.#lease.want(wanted);
    if (decision.because === 'soaking') this.#keepCount(WRITE_EVERY_MS);
    if (decision.holds) this.#lookAgain(decision);
  }

  #lookAgain(decision: Decision): void {
    const delayMs = decision.because === 'soaking' ? decision.leftMs : decision.because === 'unknown' ? WITHOUT_ANSWER_MS - this.#silentForMs() : LOOK_EVERY_MS;
    this.#timer = setTimeout(() => { this.#check(); }, Math.min(Math.max(Math.ceil(delayMs), 1), LOOK_EVERY_MS)).unref();
  }

  #decide(): Decision {
    const { requiredMs, allowances } = this.options;
    return decide({
      soak: this.#soak,
      requiredMs,
      now: this.#now(),
      waiting: this.#waiting,
      withoutAnswerMs: this.#silentSinceMs === null ? null : this.#silentForMs(),
      isAllowed: allowances.current() !== null,
      isTooOld: this.#isTooOld,
    });
  }

  #silentForMs(): number {
    const nowMs = this.options.clock.monotonicMs();
    return nowMs - (this.#silentSinceMs ?? nowMs);
  }

  /** Why the lease is wanted; null if it is not. */
  #wantedFor({ because, holds }: Decision): string | null {
    if (!holds) return null;
    const soakFor = `for ${formatDuration(this.options.requiredMs)}`;
    if (because === 'soaking') return `release ${shortCommit(this.#soak?.target ?? '')} soaks ${soakFor}`;
    if (because === 'idle') return `a release has to soak ${soakFor} first`;
    return `the Supervisor ${this.#problem === null ? 'has not said yet' : 'does not say'} which release the device is to have`;
  }

  #end(): LeaseEnd | null {
    const decision = this.#decide();
    const { wallMs } = this.#now();
    if (decision.because === 'soaking') {
      return { atWallMs: wallMs === null ? null : Math.round(wallMs + decision.leftMs), event: 'the soak ends' };
    }
    if (decision.because === 'unknown') return { atWallMs: null, event: 'it does, or 15 minutes have passed' };
    return { atWallMs: null, event: `a release has soaked for ${formatDuration(this.options.requiredMs)}` };
  }

  #tell({ because, holds }: Decision): void {
    const { requiredMs, emit } = this.options;
    const soak = this.#soak;
    const isSoaking = soak !== null && leftMs(soak, requiredMs, this.#now()) > 0;
    if (soak !== null && !isSoaking && soak.target === this.#soaking && soak.target !== soak.runs) emit({ type: 'soak-over', commit: soak.target });
    this.#soaking = isSoaking ? soak.target : null;
    const isOff = because === 'unknown' && !holds;
    if (isOff && !this.#isOff) emit({ type: 'soak-missed', problem: this.#problem ?? NO_ANSWER });
    if (!isOff && this.#isOff) emit({ type: 'soak-reached' });
    this.#isOff = isOff;
  }

  #now(): Now {
    const { clock, boot } = this.options;
    const wallMs = clock.wallMs();
    return { boot, monotonicMs: clock.monotonicMs(), wallMs: isClockSet(wallMs) ? wallMs : null };
  }

  /** Writes down the count if that was last done so long ago, or the clock has been set since: otherwise it is lost at a reboot. */
  #keepCount(everyMs: number): void {
    if (this.#soak === null) return;
    const soak = counted(this.#soak, this.#now());
    const isDue = this.options.clock.monotonicMs() - this.#writtenAtMs >= everyMs;
    if (isDue || soak.firstSeenWallMs !== this.#soak.firstSeenWallMs) this.#keep(soak);
  }

  #keep(soak: Soak): void {
    this.#soak = soak;
    this.#writtenAtMs = this.options.clock.monotonicMs();
    const stored: StoredSoak = { version: 1, soak };
    this.options.state.write(FILE, stored);
  }
}
