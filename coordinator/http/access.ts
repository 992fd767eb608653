import { createHash, timingSafeEqual } from 'node:crypto';
import type { Access as AppAccess } from '../../server/http/app';
import type { Call } from '../../server/http/call';
import { HTTP_PROBLEMS } from '../../server/http/problem';
import type { Route } from '../../server/http/route';
import type { DeviceTokens } from '../config/config';
import type { Tokens } from '../config/device-tokens';

const NOBODYS = digest('');

/** Who may ask for what. Tokens are compared as digests, which all have one length, in constant time. */
export class Access implements AppAccess {
  readonly #admin: Buffer | null;
  readonly #shared: Buffer | null;
  #own: ReadonlyMap<string, Buffer> | null;

  constructor(deviceTokens: DeviceTokens, adminToken: string | null) {
    this.#admin = adminToken === null ? null : digest(adminToken);
    this.#shared = deviceTokens.kind === 'shared' ? digest(deviceTokens.token) : null;
    this.#own = deviceTokens.kind === 'own' ? digests(deviceTokens.tokens) : null;
  }

  /** From now on devices need these tokens, each its own. */
  setOwnTokens(tokens: Tokens): void {
    this.#own = digests(tokens);
  }

  /**
   * Whether the request may go on; if not, it has been answered. Devices change nothing but by the protocol, which has a handler that
   * knows which device it is; everything else that changes something is an admin's.
   */
  admits(call: Call, route: Pick<Route, 'method' | 'protocol'> | null): boolean {
    return isForThisOrigin(call) && (route === null || route.method === 'get' || route.protocol !== undefined || this.#admitsAdmin(call));
  }

  /** Whether the request may speak for this device. */
  maySpeakFor(call: Call, id: string): boolean {
    const given = digest(tokenOf(call) ?? '');
    if (this.#shared !== null) return timingSafeEqual(this.#shared, given);
    if (this.#own === null) return true;
    const own = this.#own.get(id);
    // An id that is not listed takes as long as one that is.
    return timingSafeEqual(own ?? NOBODYS, given) && own !== undefined;
  }

  #admitsAdmin(call: Call): boolean {
    const given = tokenOf(call);
    if (given !== undefined && this.#admin !== null && timingSafeEqual(this.#admin, digest(given))) return true;
    const why =
      this.#admin === null ? ', and there is none: COORDINATOR_ADMIN_TOKEN is not set'
      : given === undefined ? ', as "Authorization: Bearer"'
      : ', and the token that was sent is not the admin token';
    call.problem(HTTP_PROBLEMS.forbidden, `Changing groups and releasing turns needs the admin token${why}.`);
    return false;
  }
}

/** Refuses requests that a browser sends for a page of another site. */
function isForThisOrigin(call: Call): boolean {
  const { origin, host = '' } = call.request.headers;
  if (origin === undefined || /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase() === host.toLowerCase()) return true;
  call.problem(HTTP_PROBLEMS.forbidden, `Requests from pages of ${JSON.stringify(origin)} are refused.`);
  return false;
}

function tokenOf({ request }: Call): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

function digests(tokens: Tokens): ReadonlyMap<string, Buffer> {
  return new Map([...tokens].map(([id, token]) => [id, digest(token)]));
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
