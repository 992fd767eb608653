import type { DeviceClock } from './device-clock';
import type { Message } from './known';

export type Connection = 'connecting' | 'live' | 'lost';

/** How often it is seen whether the sidecar is still there: a network that goes away says nothing. Milliseconds. */
const LOOK_EVERY_MS = 20_000;
const ANSWERS_WITHIN_MS = 10_000;

/** Before another attempt where the browser makes none by itself, in milliseconds. */
const RETRY_AFTER_MS = 2000;

const TYPES: readonly Message['event'][] = ['lock', 'lease', 'update'];

/** `GET /v1/events` for as long as the page is open. The browser connects again by itself, and tells where it left off. */
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
    setInterval(() => { this.#lookIfSeen(); }, LOOK_EVERY_MS);
    document.addEventListener('visibilitychange', () => { this.#lookIfSeen(); });
    window.addEventListener('online', () => { this.#connectIfLost(); });
    window.addEventListener('offline', () => { this.#lookIfSeen(); });
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    const source = new EventSource('v1/events');
    this.#source = source;
    source.addEventListener('open', () => {
      this.#become('live');
      void this.#look();
    });
    source.addEventListener('error', () => {
      this.#become('lost');
      // An answer that is no stream, from whatever is in between: for the browser that is the end of it.
      if (source.readyState === EventSource.CLOSED) this.#retryTimer = setTimeout(() => { this.#connect(); }, RETRY_AFTER_MS);
    });
    for (const event of TYPES) {
      source.addEventListener(event, ({ data }: MessageEvent<string>) => {
        this.onMessage({ event, data: JSON.parse(data) as unknown } as Message);
      });
    }
  }

  #lookIfSeen(): void {
    if (document.visibilityState === 'visible') void this.#look();
  }

  async #look(): Promise<void> {
    const source = this.#source;
    try {
      const askedAtMs = Date.now();
      const { headers } = await fetch('healthz', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
      this.clock.read(headers.get('Date'), askedAtMs);
      this.onConnection();
    } catch {
      if (this.connection !== 'live' || source !== this.#source) return;
      this.#become('lost');
      this.#connect();
    }
  }

  #connectIfLost(): void {
    if (this.connection === 'lost') this.#connect();
  }

  #become(connection: Connection): void {
    this.connection = connection;
    this.onConnection();
  }
}
