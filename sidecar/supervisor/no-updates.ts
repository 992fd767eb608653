import type { SidecarEvent, UpdateEvent } from '../events/event';
import type { ByHandResult, UpdateRequest } from './update-requests';
import { NOT_CONFIGURED } from './update-status';
import type { UpdateSource } from './updates';
import { Waiters } from './waiters';

const PROBLEM = "its API is not configured; the service needs the label io.balena.features.supervisor-api: '1'";

/** Without the Supervisor's API everything else works as before: nothing is ever known to wait, which takes as long to say. */
export class NoUpdates implements UpdateSource {
  readonly status = NOT_CONFIGURED;
  readonly known = null;
  readonly #waiters = new Waiters();

  constructor(private readonly emit: (event: UpdateEvent) => void) {}

  onEvent({ type }: SidecarEvent): void {
    if (type === 'stopping') this.#waiters.answerAll();
  }

  whenPending(waitMs: number, onAnswer: () => void): () => void {
    return this.#waiters.add(waitMs, onAnswer).leave;
  }

  request({ peer }: UpdateRequest): Promise<ByHandResult> {
    this.emit({ type: 'update-refused', peer, problem: PROBLEM });
    return Promise.resolve({ ok: false, problem: PROBLEM });
  }
}
