import { statSync } from 'node:fs';
import { InvalidRequestError } from './errors/invalid-request-error';

export const DEFAULT_SOCKET = '/run/update-lock/update-lock.sock';
export const DEFAULT_URL = 'http://update-lock:8080';

/** The address of a sidecar. */
export interface Endpoint {
  /** As a person would write it: `http://update-lock:8080`, `unix:/run/update-lock/update-lock.sock`. */
  readonly url: string;
  /** The host and port, or the socket path, to connect to. */
  readonly target: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  /** Whether it speaks HTTPS. */
  readonly isSecure: boolean;
  /** Neither the option nor the environment says where the sidecar is. */
  readonly isDefault?: true;
}

/**
 * The sidecar's address: the given URL, else `UPDATE_LOCK_URL`, else the default socket if it exists, else the default host name. To be
 * called for each attempt, since the socket may appear while a client waits for its sidecar.
 * @throws InvalidRequestError if the URL is not one
 */
export function findEndpoint(url?: string): Endpoint {
  const given = url ?? process.env['UPDATE_LOCK_URL'];
  if (given !== undefined && given !== '') return parseEndpoint(given, url === undefined ? 'UPDATE_LOCK_URL' : 'url');
  return { ...parseEndpoint(isSocket(DEFAULT_SOCKET) ? `unix:${DEFAULT_SOCKET}` : DEFAULT_URL, 'url'), isDefault: true };
}

/** How to say where the sidecar is, for the end of a message; empty if that has been said. */
export function orElsewhere({ isDefault }: Endpoint): string {
  return isDefault === true ? '; if it is elsewhere, set UPDATE_LOCK_URL or the option url' : '';
}

/** The token given, else `UPDATE_LOCK_TOKEN`. */
export function findToken(token?: string): string | undefined {
  const given = token ?? process.env['UPDATE_LOCK_TOKEN'];
  return given === '' ? undefined : given;
}

/**
 * @param origin where the URL was given
 * @throws InvalidRequestError
 */
export function parseEndpoint(url: string, origin: 'url' | 'UPDATE_LOCK_URL'): Endpoint {
  const path = /^unix:(?:\/\/)?(\/.+)$/.exec(url)?.[1];
  if (path !== undefined) return { url: `unix:${path}`, target: { socketPath: path }, isSecure: false };
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const isSecure = parsed?.protocol === 'https:';
  if (parsed === null || !(isSecure || parsed.protocol === 'http:') || parsed.username !== '' || !/^\/*$/.test(parsed.pathname + parsed.search + parsed.hash)) {
    const message = `${origin}: ${JSON.stringify(url)} is not the address of a sidecar; allowed are http://HOST:PORT, https://HOST:PORT and unix:/PATH`;
    throw new InvalidRequestError(message, 'invalid');
  }
  // node:http wants an IPv6 address without its brackets.
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return { url: parsed.origin, target: { host, port: Number(parsed.port || (isSecure ? '443' : '80')) }, isSecure };
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
}
