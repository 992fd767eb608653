import { createHash, timingSafeEqual } from 'node:crypto';

/** The tokens that are asked for. Kept and compared as digests: all of one length, so that comparing tells nothing. */
export class Tokens {
  readonly #api: Buffer | null;

  readonly #admin: Buffer | null;

  /**
   * @param apiToken allows changes over TCP, as the admin token does then; null: anyone may who can connect
   * @param adminToken allows forcing an update, whatever the way; null: nobody may
   */
  constructor(apiToken: string | null, adminToken: string | null) {
    this.#api = apiToken === null ? null : digest(apiToken);
    this.#admin = adminToken === null ? null : digest(adminToken);
  }

  /** Whether changes over TCP need a token. */
  get areAsked(): boolean {
    return this.#api !== null;
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
