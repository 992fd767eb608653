import type { Timeline } from '../../server/clock';
import { NO_UPDATE, type UpdateNote } from '../leases/waiting';
import type { Header } from '../journal/record';

/** The notes for the next process of this boot, beside the leases: the header of the journal. */
export class BootNotes {
  #lostAtMs: number | null = null;
  #isStartOver = false;
  #update = NO_UPDATE;

  /** @param save writes the {@link header} down */
  constructor(
    private readonly timeline: Timeline,
    private readonly save: () => void,
  ) {}

  get header(): Header {
    return { lostAtMs: this.#lostAtMs, wallOffsetMs: this.timeline.offsetMs, isStartOver: this.#isStartOver, update: this.#update };
  }

  /** When the lock was last lost, in monotonic milliseconds; null for never. */
  get lostAtMs(): number | null {
    return this.#lostAtMs;
  }

  /** Whether the hold of the start has been taken, or was not wanted, since the machine booted. */
  get isStartOver(): boolean {
    return this.#isStartOver;
  }

  /** The notes on updates. */
  get update(): UpdateNote {
    return this.#update;
  }

  recordLoss(atMs: number): void {
    this.#lostAtMs = atMs;
    this.save();
  }

  recordStartIsOver(): void {
    this.#isStartOver = true;
    this.save();
  }

  recordUpdate(change: Partial<UpdateNote>): void {
    this.#update = { ...this.#update, ...change };
    this.save();
  }

  /** Goes on with the notes of a former process, where this one has none of its own yet. */
  resume({ lostAtMs, wallOffsetMs, isStartOver, update }: Header): void {
    this.#isStartOver ||= isStartOver;
    if (this.#update === NO_UPDATE) this.#update = update ?? NO_UPDATE;
    this.#lostAtMs = lostAtMs === null ? this.#lostAtMs : Math.max(lostAtMs, this.#lostAtMs ?? lostAtMs);
    if (wallOffsetMs !== null) this.timeline.resume(wallOffsetMs);
    this.save();
  }
}
