import { createHash, timingSafeEqual } from 'node:crypto';

/** The tokens that clients must send. They are compared as digests, which all have one length, in constant time. */
export class Tokens {
  readonly #api: Buffer | null;

  readonly #admin: Buffer | null;

  /**
   * @param apiToken allows changes over TCP, as the admin token then does too; null: every client may make changes
   * @param adminToken allows forcing an update, over TCP and the Unix socket; null: nobody may
   */
  constructor(apiToken: string | null, adminToken: string | null) {
    this.#api = apiToken === null ? null : digest(apiToken);
    this.#admin = adminToken === null ? null : digest(adminToken);
  }

  /** Whether changes over TCP need a token. */
  get areAsked(): boolean {
    return this.#api !== null;
  }

  /** Whether there is an admin token: without one nobody may do what needs it. */
  get hasAdmin(): boolean {
    return this.#admin !== null;
  }

  allowChanges(given: string): boolean {
    return [this.#api, this.#admin].some((token) => isSame(token, given));
  }

  allowForce(given: string): boolean {
    return isSame(this.#admin, given);
  }
}

function isSame(token: Buffer | null, given: string): boolean {
  return token !== null && timingSafeEqual(token, digest(given));
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
