import type { DeviceClock } from './device-clock';
import type { Message } from './known';

export type Connection = 'connecting' | 'live' | 'lost';

/** How often the page checks that the sidecar still answers: a network that goes away causes no error. Milliseconds. */
const CHECK_EVERY_MS = 20_000;
const TIMEOUT_MS = 10_000;

/** The wait before another attempt if the browser makes none by itself, in milliseconds. */
const RETRY_AFTER_MS = 2000;

const TYPES: readonly Message['event'][] = ['lock', 'lease', 'update'];

/** `GET /v1/events` for as long as the page is open. The browser reconnects by itself, and says which event it received last. */
export class Stream {
  connection: Connection = 'connecting';
  #source: EventSource | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly clock: DeviceClock,
    private readonly onMessage: (message: Message) => void,
    private readonly onConnection: () => void,
  ) {}

  open(): void {
    this.#connect();
    setInterval(() => { this.#checkIfVisible(); }, CHECK_EVERY_MS);
    document.addEventListener('visibilitychange', () => { this.#checkIfVisible(); });
    window.addEventListener('online', () => { this.#connectIfLost(); });
    window.addEventListener('offline', () => { this.#checkIfVisible(); });
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    const source = new EventSource('v1/events');
    this.#source = source;
    source.addEventListener('open', () => {
      this.#setConnection('live');
      void this.#check();
    });
    source.addEventListener('error', () => {
      this.#setConnection('lost');
      // After an answer that is not a stream, from a proxy for example, the browser does not try again.
      if (source.readyState === EventSource.CLOSED) this.#retryTimer = setTimeout(() => { this.#connect(); }, RETRY_AFTER_MS);
    });
    for (const event of TYPES) {
      source.addEventListener(event, ({ data }: MessageEvent<string>) => {
        this.onMessage({ event, data: JSON.parse(data) as unknown } as Message);
      });
    }
  }

  #checkIfVisible(): void {
    if (document.visibilityState === 'visible') void this.#check();
  }

  async #check(): Promise<void> {
    const source = this.#source;
    try {
      const askedAtMs = Date.now();
      const { headers } = await fetch('healthz', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
      this.clock.read(headers.get('Date'), askedAtMs);
      this.onConnection();
    } catch {
      if (this.connection !== 'live' || source !== this.#source) return;
      this.#setConnection('lost');
      this.#connect();
    }
  }

  #connectIfLost(): void {
    if (this.connection === 'lost') this.#connect();
  }

  #setConnection(connection: Connection): void {
    this.connection = connection;
    this.onConnection();
  }
}
