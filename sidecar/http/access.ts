import type { Access as AppAccess } from '../../server/http/app';
import type { Call } from '../../server/http/call';
import { PROBLEMS } from './problems';
import { Hosts } from '../../server/http/hosts';
import { isUnixPeer } from '../../server/http/peers';
import type { Route } from '../../server/http/route';
import type { Tokens } from './tokens';

type Guarded = Pick<Route, 'method' | 'adminOnly' | 'adminPart'>;

/** Who may ask for what. */
export class Access implements AppAccess {
  /**
   * @param tokens null: no token is needed, and nobody may force an update
   * @param hosts the host names that requests over TCP may use
   */
  constructor(
    private readonly tokens: Tokens | null = null,
    private readonly hosts = new Hosts(),
  ) {}

  /**
   * Whether the request has the admin token; if not, it has been answered.
   * @param what needs it, as the subject of a sentence
   */
  admitsAdmin(call: Call, what: string): boolean {
    const given = tokenOf(call);
    if (given !== undefined && this.tokens?.allowForce(given) === true) return true;
    call.problem(PROBLEMS.forbidden, `${what} needs the admin token${this.#whyNotAdmin(given)}.`);
    return false;
  }

  /**
   * Whether the request may go on; if not, it has been answered.
   * @param route the route that matched; null if none did, so that nothing can be changed
   */
  admits(call: Call, route: Guarded | null): boolean {
    if (!this.#isForThisHost(call) || !this.#isForThisOrigin(call)) return false;
    if (route === null || route.method === 'get') return true;
    return this.#mayChange(call, route) && (route.adminOnly === undefined || this.admitsAdmin(call, route.adminOnly));
  }

  /** A page that was loaded under a name that is not ours cannot open the Unix socket, so only TCP is checked. */
  #isForThisHost(call: Call): boolean {
    const { headers, socket } = call.request;
    if (this.hosts.allows(headers.host) || isUnixPeer(socket)) return true;
    call.problem(
      PROBLEMS.forbidden,
      `Requests for the host ${JSON.stringify(headers.host)} are refused: the name may be somebody else's. UPDATE_LOCK_ALLOWED_HOSTS can allow it.`,
    );
    return false;
  }

  /** Refuses requests that a browser sends for a page of another site. */
  #isForThisOrigin(call: Call): boolean {
    const { origin, host = '' } = call.request.headers;
    if (origin === undefined || hostOf(origin) === host.toLowerCase()) return true;
    call.problem(PROBLEMS.forbidden, `Requests from pages of ${JSON.stringify(origin)} are refused.`);
    return false;
  }

  #whyNotAdmin(given: string | undefined): string {
    if (this.tokens?.hasAdmin !== true) return ', and the sidecar has none: UPDATE_LOCK_ADMIN_TOKEN is not set';
    return given === undefined ? ', as "Authorization: Bearer"' : ', and the token that was sent is not the admin token';
  }

  #mayChange(call: Call, route: Guarded): boolean {
    if (this.tokens?.areAsked !== true || isUnixPeer(call.request.socket)) return true;
    const given = tokenOf(call);
    if (given !== undefined && this.tokens.allowChanges(given)) return true;
    const wrong = this.tokens.hasAdmin ? 'neither the API token nor the admin token' : 'not the API token';
    const detail = given === undefined ? this.#whichToken(route) : `The token that was sent is ${wrong}.`;
    call.problem(PROBLEMS.unauthorized, detail, {}, ['WWW-Authenticate', 'Bearer realm="update-lock"']);
    return false;
  }

  #whichToken({ adminOnly, adminPart }: Guarded): string {
    if (adminOnly !== undefined) return `${adminOnly} needs the admin token${this.#whyNotAdmin(undefined)}.`;
    return `Changes over TCP need "Authorization: Bearer" with the API token.${adminPart === undefined ? '' : ` ${adminPart} needs the admin token.`}`;
  }
}

function tokenOf({ request }: Call): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}
