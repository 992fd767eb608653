import type { Clock } from '../../server/clock';
import type { TagEvent } from '../events/event';
import type { SupervisorApi } from './supervisor-api';
import { afterLook, BETWEEN_WRITES_MS, NOTHING_WRITTEN, type TagState } from './tag-pace';

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
  /** Keeps what was written last over restarts, which would otherwise each write it again. */
  readonly state: { read<T>(name: string, parse: (json: unknown) => T | null): T | null; write(name: string, value: Written): void };
  readonly emit: (event: TagEvent) => void;
}

/** In the state directory. */
const FILE = 'summary-tag';

/** What was written last, and when. */
interface Written {
  readonly version: 1;
  readonly name: string;
  readonly text: string;
  readonly atWallMs: number;
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
    const { state, clock, name } = options;
    const last = state.read(FILE, parseWritten);
    if (last?.name === name) {
      const agoMs = clock.wallMs() - last.atWallMs;
      // A clock that was set since tells nothing.
      const triedAtMs = agoMs >= 0 && agoMs < BETWEEN_WRITES_MS ? clock.monotonicMs() - agoMs : null;
      this.#state = { ...NOTHING_WRITTEN, written: last.text, triedAtMs };
    }
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
    const { api, clock, name, state } = this.options;
    this.#isWriting = true;
    const atWallMs = clock.wallMs();
    const result = await api.writeTag(name, withTime(text, atWallMs));
    this.#isWriting = false;
    if (this.#isOver) return;
    if (result.ok) {
      this.#state = { ...this.#state, written: text };
      state.write(FILE, { version: 1, name, text, atWallMs });
    }
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

function parseWritten(json: unknown): Written | null {
  const { version, name, text, atWallMs } = Object(json) as Record<string, unknown>;
  return version === 1 && typeof name === 'string' && typeof text === 'string' && typeof atWallMs === 'number' ? { version, name, text, atWallMs } : null;
}
