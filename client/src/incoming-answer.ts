import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { AnswerParser, type Head } from './answer-parser';

/**
 * An answer as it comes in on its connection, which it closes at its end. Nothing is read ahead: as long as nobody asks for more,
 * the sender has to wait.
 */
export class IncomingAnswer {
  readonly #parser = new AnswerParser();
  readonly #decoder = new StringDecoder('utf8');
  #text = '';
  #error: Error | null = null;
  #isDiscarded = false;
  /** Whoever waits for the head, or for more. */
  #wake: (() => void) | undefined;

  constructor(readonly socket: Socket) {
    // These stay for as long as the connection: an error without a listener would end the process.
    socket.on('error', (error) => {
      this.#fail(error);
    });
    socket.on('data', (bytes: Buffer) => {
      this.#take(bytes);
    });
    socket.on('end', () => {
      this.#end();
    });
    socket.on('close', () => {
      this.#end();
    });
  }

  get status(): number {
    return this.#parser.head?.status ?? 0;
  }

  /** A field of the head, by its name in small letters; empty if there is none. */
  field(name: string): string {
    return this.#parser.head?.fields.get(name) ?? '';
  }

  /** Once the head is there. */
  async head(): Promise<Head> {
    for (;;) {
      const { head } = this.#parser;
      if (head !== null) return head;
      await this.#change();
    }
  }

  /**
   * The next of the body's text, as much as is there; null at its end.
   * @throws what broke the connection or the answer, or what it was destroyed with
   */
  async read(): Promise<string | null> {
    for (;;) {
      if (this.#text !== '') {
        const text = this.#text;
        this.#text = '';
        return text;
      }
      if (this.#parser.isOver) return null;
      await this.#change();
    }
  }

  /** Reads on for nobody, so that the end of the connection is seen. */
  discard(): void {
    this.#isDiscarded = true;
    this.#text = '';
    this.socket.resume();
  }

  destroy(error?: Error): void {
    this.#fail(error ?? new Error('nobody reads the answer any more'));
  }

  /** Waits for anything to happen. @throws if nothing more can */
  async #change(): Promise<void> {
    if (this.#error !== null) throw this.#error;
    this.socket.resume();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  #woken(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #take(bytes: Buffer): void {
    if (this.#isDiscarded || this.#error !== null) return;
    try {
      for (const piece of this.#parser.feed(bytes)) this.#text += this.#decoder.write(piece);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#settle();
  }

  #end(): void {
    if (this.#isDiscarded || this.#error !== null || this.#parser.isOver) return;
    try {
      this.#parser.end();
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#parser.isOver) {
      this.#text += this.#decoder.end();
      this.socket.destroy();
    } else if (this.#text !== '') {
      this.socket.pause();
    }
    this.#woken();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.socket.destroy();
    this.#woken();
  }
}
