import type { Clock } from '../../server/clock';
import type { TagEvent } from '../events/event';
import type { SupervisorApi } from './supervisor-api';
import { afterLook, NOTHING_WRITTEN, type TagState } from './tag-pace';

/** What happens within this time after an event is looked at once, in milliseconds. */
const LOOKS_AFTER_MS = 1000;

/** The longest value of a device tag that balena's cloud takes, in characters. */
const MAX_LENGTH = 255;

export interface SummaryTagOptions {
  readonly name: string;
  readonly api: Pick<SupervisorApi, 'writeTag'>;
  readonly clock: Clock;
  /** Who holds the lock and what waits, in words that stay the same while that does. */
  readonly text: () => string;
  /** Whether an update waits and is held back. */
  readonly isUrgent: () => boolean;
  readonly emit: (event: TagEvent) => void;
}

/**
 * Writes the summary into a tag of the device, where the owner of a fleet sees it. It looks when something happens, and
 * otherwise sleeps. A Supervisor that knows no tags is asked once.
 */
export class SummaryTag {
  #state: TagState = NOTHING_WRITTEN;
  #timer: NodeJS.Timeout | undefined;
  #looksAtMs = Infinity;
  #isWriting = false;
  #isOver = false;
  #problem: string | null = null;

  constructor(private readonly options: SummaryTagOptions) {
    this.#lookIn(LOOKS_AFTER_MS);
  }

  onEvent(): void {
    this.#lookIn(LOOKS_AFTER_MS);
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): void {
    const atMs = this.options.clock.monotonicMs() + ms;
    if (this.#isOver || this.#isWriting || atMs >= this.#looksAtMs) return;
    clearTimeout(this.#timer);
    this.#looksAtMs = atMs;
    this.#timer = setTimeout(() => { this.#look(); }, Math.ceil(ms)).unref();
  }

  #look(): void {
    this.#looksAtMs = Infinity;
    const { clock, text, isUrgent } = this.options;
    const look = { text: text(), isUrgent: isUrgent(), nowMs: clock.monotonicMs() };
    const { state, writeInMs } = afterLook(this.#state, look);
    this.#state = state;
    if (writeInMs === 0) void this.#write(look.text);
    else if (writeInMs !== null) this.#lookIn(writeInMs);
  }

  async #write(text: string): Promise<void> {
    const { api, clock, name } = this.options;
    this.#isWriting = true;
    const result = await api.writeTag(name, withTime(text, clock.wallMs()));
    this.#isWriting = false;
    if (this.#isOver) return;
    if (result.ok) this.#state = { ...this.#state, written: text };
    if (!result.ok && result.isUnknown) this.close();
    this.#tell(result.ok ? null : result.problem);
    // What happened meanwhile was not looked at, and an attempt that failed is to be repeated.
    this.#lookIn(LOOKS_AFTER_MS);
  }

  /** Says it once if writing begins to fail, and if it works again. */
  #tell(problem: string | null): void {
    const { emit, name } = this.options;
    const hadProblem = this.#problem !== null;
    this.#problem = problem;
    if (problem !== null && !hadProblem) emit({ type: 'tag-missed', name, problem });
    if (problem === null && hadProblem) emit({ type: 'tag-reached', name });
  }
}

/** The time is at the end, since a tag outlives the software that wrote it. */
function withTime(text: string, wallMs: number): string {
  const time = ` (${new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ')} UTC)`;
  const room = MAX_LENGTH - time.length;
  // A pair of surrogates is not cut in two.
  return (text.length <= room ? text : `${text.slice(0, room - 1).replace(/[\uD800-\uDBFF]$/, '')}…`) + time;
}
