import type { Clock } from '../../../server/clock';
import { quote } from '../../../server/text';
import type { ControlTagEvent, SidecarEvent } from '../../events/event';
import type { LeaseEnd, LeasePolicies } from '../../leases/policies';
import type { StateDirectory } from '../../state/state-directory';
import type { Allowance, Allowances } from '../allowances';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import type { TimeSettings } from '../windows/time-settings';
import { isClockSet } from '../windows/window-holder';
import { CONTROL_TAG_NAMES, type ControlTagName } from './control-tag';
import { afterAnswer, meaningOf, parseStoredTags, type ControlTags, type DeviceTag, type StoredTags, type TagProblem, type TagTexts } from './known-tags';

const LEASE_NAME = '@tags';

/** In the state directory. */
const FILE = 'tags';

/** The reason of the lease until the tags have been read for the first time. */
const NOT_READ_YET = 'the device tags have not been read yet';

/** How long the lock is held for that reason, in milliseconds. */
const WAIT_MS = 15 * 60_000;

/** How often the wall clock is looked at, in milliseconds, if nothing ends before: it may be set. */
const LOOK_EVERY_MS = 60_000;

/** How many unreadable values are remembered, so that each is reported once. */
const MAX_TOLD = 100;

export interface TagsHolderOptions {
  /** The names of the control tags begin with this and a dot. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly keeper: LeaseKeeper;
  readonly policies: LeasePolicies;
  readonly allowances: Allowances;
  readonly state: Pick<StateDirectory, 'read' | 'write'>;
  /** Follows the tags. */
  readonly windows: { setTimes(times: TimeSettings): void };
  /** The settings, which count unless there is a tag. */
  readonly times: TimeSettings;
  readonly emit: (event: ControlTagEvent | { readonly type: 'allowance-changed' }) => void;
}

/**
 * Lets device tags set the windows, and hold or allow updates. What was read last counts until the next answer, even after a
 * reboot. If nothing has ever been read, the lease `@tags` holds the lock until the first answer, but not for ever.
 */
export class TagsHolder {
  readonly #lease: WantedLease;
  readonly #told = new Set<string>();
  /** Null if they have never been read. */
  #texts: TagTexts | null;
  #tags: ControlTags;
  #problems: readonly TagProblem[] = [];
  /** When to stop waiting for the first answer, by the monotonic clock; null before the lock is opened. */
  #waitsUntilMs: number | null = null;
  #wasAllowed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: TagsHolderOptions) {
    const { keeper, policies, allowances, state } = options;
    this.#lease = new WantedLease(keeper, LEASE_NAME);
    this.#texts = state.read(FILE, parseStoredTags)?.tags ?? null;
    this.#tags = meaningOf(this.#texts ?? {});
    this.#setTimes();
    // The owner of the fleet wants no update now, however long one has waited.
    policies.register(LEASE_NAME, { survivesDrain: true, deadline: 'pauses', end: () => this.#end() });
    allowances.add(() => this.#allowance());
  }

  /** The tags with our prefix that could not be read in the last answer. */
  get problems(): readonly TagProblem[] {
    return this.#problems;
  }

  /** What is wrong with the tags, in words; null if nothing is. */
  problem(): string | null {
    if (this.#problems.length === 0) return null;
    const each = this.#problems.map(({ name, value, problem }) => `${name}: ${value} ${problem}`);
    return `Device tags cannot be read, so their last readable values still count. ${each.join('. ')}.`;
  }

  /** Which tags count, in words. */
  inForce(): string {
    if (this.#texts === null) return 'The device tags have not been read yet.';
    const names = CONTROL_TAG_NAMES.filter((name) => this.#texts?.[name] !== undefined).map((name) => `${this.options.prefix}.${name}`);
    return names.length === 0 ? 'There are no control tags.' : `These control tags count: ${names.join(', ')}.`;
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'store-opened') this.#open();
    if (event.type === 'lease-ended' && event.lease.name === LEASE_NAME) this.#lease.onEnded();
  }

  /** @param tags all tags of the device, as they have just been read */
  receive(tags: readonly DeviceTag[]): void {
    const before = this.#texts;
    const { texts, problems } = afterAnswer(before, this.options.prefix, tags);
    const changed = CONTROL_TAG_NAMES.filter((name) => texts[name] !== before?.[name]);
    this.#problems = problems;
    this.#texts = texts;
    this.#tags = meaningOf(texts);
    if (changed.length > 0 || before === null) this.#remember();
    this.#tellProblems();
    this.#tellChanges(changed);
    // Takes the lease, if it is wanted, before the windows may let go of theirs; and lets go of it after they may have taken theirs.
    if (this.#whyHeld() !== null) this.#check();
    if (changed.length > 0) this.#setTimes();
    this.#check();
  }

  /** Lets lease and allowance follow the wall clock: nothing tells us when it is set. */
  look(): void {
    const isAllowed = this.#allowance() !== null;
    if (this.#whyHeld() !== this.#lease.wantedFor || isAllowed !== this.#wasAllowed) this.#check();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #open(): void {
    const { keeper, clock } = this.options;
    const former = keeper.get(LEASE_NAME);
    // A former process may have waited for a while already.
    const sinceMs = former?.reason === NOT_READ_YET ? former.sinceMs : clock.monotonicMs();
    this.#waitsUntilMs = sinceMs + WAIT_MS;
    this.#check();
  }

  #check(): void {
    clearTimeout(this.#timer);
    if (this.#waitsUntilMs === null) return;
    const { clock, emit } = this.options;
    const waitMs = this.#waitsUntilMs - clock.monotonicMs();
    if (this.#texts === null && waitMs <= 0) this.#stopWaiting();
    const why = this.#whyHeld();
    if (why === null) this.#lease.letGo();
    else this.#lease.want(why);
    const isAllowed = this.#allowance() !== null;
    if (isAllowed !== this.#wasAllowed) {
      this.#wasAllowed = isAllowed;
      emit({ type: 'allowance-changed' });
    }
    this.#lookAgain(waitMs);
  }

  /** Sets the timer for the next look, which is needed only if something ends by a clock. */
  #lookAgain(waitMs: number): void {
    const { hold, allow } = this.#tags;
    const nowMs = this.options.clock.wallMs();
    const ends = [hold?.untilWallMs ?? null, allow?.untilWallMs ?? null].filter((end) => end !== null);
    if (this.#texts !== null && ends.length === 0) return;
    const delaysMs = [LOOK_EVERY_MS, ...(this.#texts === null ? [waitMs] : []), ...ends.map((end) => end - nowMs).filter((ms) => ms > 0)];
    this.#timer = setTimeout(() => { this.#check(); }, Math.max(Math.ceil(Math.min(...delaysMs)), 1)).unref();
  }

  /** Stops waiting for the first answer; later starts do not wait for it either. */
  #stopWaiting(): void {
    this.#texts = {};
    this.#remember();
  }

  /** Why the lock is held; null if it is not. */
  #whyHeld(): string | null {
    if (this.#texts === null) return NOT_READ_YET;
    const { hold } = this.#tags;
    const nowMs = this.options.clock.wallMs();
    // A clock that is not set cannot tell that the hold is over.
    if (hold === null || (hold.untilWallMs !== null && isClockSet(nowMs) && nowMs >= hold.untilWallMs)) return null;
    return hold.reason === '' ? 'updates are held by a device tag' : hold.reason;
  }

  #allowance(): Allowance | null {
    const { allow } = this.#tags;
    const nowMs = this.options.clock.wallMs();
    if (allow === null || !isClockSet(nowMs) || nowMs >= allow.untilWallMs) return null;
    return { by: 'tag', reason: allow.reason, untilWallMs: allow.untilWallMs };
  }

  #end(): LeaseEnd | null {
    if (this.#texts === null) return { atWallMs: null, event: 'the device tags have been read, or 15 minutes have passed' };
    const { hold } = this.#tags;
    if (hold === null) return null;
    if (hold.untilWallMs === null) return { atWallMs: null, event: `the tag ${this.options.prefix}.hold is removed` };
    return { atWallMs: hold.untilWallMs, event: 'the hold by tag ends' };
  }

  #setTimes(): void {
    const { windows, times } = this.options;
    const { windows: weekly, freeze, timezone } = this.#tags;
    windows.setTimes({ windows: weekly ?? times.windows, freezes: freeze ?? times.freezes, timeZone: timezone ?? times.timeZone });
  }

  #remember(): void {
    const stored: StoredTags = { version: 1, tags: this.#texts ?? {} };
    this.options.state.write(FILE, stored);
  }

  #tellChanges(changed: readonly ControlTagName[]): void {
    if (changed.length === 0) return;
    const { prefix, emit } = this.options;
    const changes = changed.map((name) => {
      const text = this.#texts?.[name];
      return { name: `${prefix}.${name}`, value: text === undefined ? null : quote(text) };
    });
    emit({ type: 'control-tags-changed', changes });
  }

  #tellProblems(): void {
    for (const problem of this.#problems) {
      const key = `${problem.name}=${problem.value}`;
      if (this.#told.has(key)) continue;
      if (this.#told.size >= MAX_TOLD) this.#told.clear();
      this.#told.add(key);
      this.options.emit({ type: 'control-tag-unreadable', ...problem });
    }
  }
}
