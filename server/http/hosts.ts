import { isIPv4, isIPv6 } from 'node:net';
import { hostname } from 'node:os';

/** How many values of `Host` are remembered as allowed. Bounded, since a client can spell one name in many ways. */
const MAX_REMEMBERED = 64;

/** Top-level names that nobody can register: RFC 6761 and 6762, and ICANN's resolution 2024.07.29.06. */
const PRIVATE_ENDINGS = ['.localhost', '.local', '.internal'];

/**
 * The host names that requests may use. A page of another site can make its own name resolve to our address (DNS rebinding); the
 * browser then takes our answers for its own, and only `Host` shows the difference. That needs a name in the public DNS, so all other
 * names are allowed: addresses, names without a dot, which services and containers have, and private endings.
 */
export class Hosts {
  readonly #names: ReadonlySet<string>;
  readonly #endings: readonly string[];
  readonly #allowsAny: boolean;
  readonly #remembered = new Set<string>();

  /** @param allowed names, `*.` with a name for all below it, or `*` for any: in lower case */
  constructor(allowed: readonly string[] = []) {
    const [wildcards, names] = [allowed.filter((name) => name.startsWith('*.')), allowed.filter((name) => !name.startsWith('*'))];
    this.#names = new Set([...names, hostname().toLowerCase()].map(withoutFinalDot));
    this.#endings = [...PRIVATE_ENDINGS, ...wildcards.map((name) => withoutFinalDot(name.slice(1)))];
    this.#allowsAny = allowed.includes('*');
  }

  /** @param header as it was sent; a request without one does not come from a browser */
  allows(header: string | undefined): boolean {
    if (header === undefined || header === '' || this.#allowsAny || this.#remembered.has(header)) return true;
    if (!this.#knows(header.toLowerCase())) return false;
    if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.add(header);
    return true;
  }

  #knows(header: string): boolean {
    const [, address, rawName] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(header) ?? [];
    if (address !== undefined) return isIPv6(address);
    if (rawName === undefined) return false;
    const name = withoutFinalDot(rawName);
    return !name.includes('.') || isIPv4(name) || this.#names.has(name) || this.#endings.some((ending) => name.endsWith(ending));
  }
}

function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
