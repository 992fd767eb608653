import type { SidecarEvent } from '../events/event';
import type { SupervisorApi } from './supervisor-api';

export interface ThisDeviceOptions {
  /** Null where the Supervisor's API is not given. */
  readonly api: Pick<SupervisorApi, 'readName'> | null;
  /** The name when this container was made. */
  readonly name: string | null;
  readonly uuid: string | null;
  readonly emit: (event: { readonly type: 'device-named' }) => void;
}

/**
 * The device's name and id, for people who look at many devices. A device can be renamed, so the Supervisor is asked for the name once it
 * has answered, and again when something begins to wait, since then people look. While nothing is held it is asked nothing.
 */
export class ThisDevice {
  readonly uuid: string | null;
  #name: string | null;
  #hasAnswered = false;
  #isAsking = false;
  #isClosed = false;

  constructor(private readonly options: ThisDeviceOptions) {
    this.uuid = options.uuid;
    this.#name = options.name;
  }

  /** Null where it is not known. */
  get name(): string | null {
    return this.#name;
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'update-changed' && (!this.#hasAnswered || event.turn?.waits === true)) void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #ask(): Promise<void> {
    const { api, emit } = this.options;
    if (api === null || this.#isAsking) return;
    this.#isAsking = true;
    const name = await api.readName();
    this.#isAsking = false;
    if (this.#isClosed || name === null) return;
    this.#hasAnswered = true;
    if (name === this.#name) return;
    this.#name = name;
    emit({ type: 'device-named' });
  }
}
