import { printable } from './elements';

/** How a request went, with a message for people if it failed. */
export type Answer =
  | { readonly ok: true }
  /** `token`: set if the token was the problem: missing or unknown, or known but without this permission. */
  | { readonly ok: false; readonly token?: 'wrong' | 'not-permitted'; readonly message: string };

const TOKEN_STATUSES: Readonly<Record<number, 'wrong' | 'not-permitted'>> = { 401: 'wrong', 403: 'not-permitted' };

const KEY = 'update-lock-token';

/** The token that the reader typed in, kept in this tab until it is closed. */
export const token = {
  get value(): string {
    return sessionStorage.getItem(KEY) ?? '';
  },
  set value(value: string) {
    if (value === '') sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, value);
  },
};

export function releaseLease(name: string): Promise<Answer> {
  return ask('DELETE', `v1/leases/${encodeURIComponent(name)}`);
}

export function forceUpdate(): Promise<Answer> {
  return ask('POST', 'v1/update', { force: true });
}

/** @param forHowLong a duration as the sidecar reads it: `2h` */
export function setOverride(updates: 'allow' | 'hold', forHowLong: string, reason: string): Promise<Answer> {
  return ask('PUT', 'v1/override', { updates, for: forHowLong, reason });
}

export function clearOverride(): Promise<Answer> {
  return ask('DELETE', 'v1/override');
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const { value } = token;
  if (/[^\x21-\x7e]/.test(value)) return { ok: false, token: 'wrong', message: 'This is not a token: a token consists of ASCII characters without spaces.' };
  const headers: Record<string, string> = {};
  if (value !== '') headers['Authorization'] = `Bearer ${value}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    return { ok: false, message: 'The sidecar cannot be reached.' };
  }
  if (response.ok) return { ok: true };
  const wrong = TOKEN_STATUSES[response.status];
  return { ok: false, ...(wrong === undefined ? {} : { token: wrong }), message: await messageOf(response) };
}

/** The detail of the problem document; a proxy in between may answer with something else. */
async function messageOf(response: Response): Promise<string> {
  try {
    const { detail } = (await response.json()) as { detail?: unknown };
    if (typeof detail === 'string' && detail !== '') return printable(detail);
  } catch {
    // Not JSON.
  }
  return `The answer was ${String(response.status)} ${printable(response.statusText)}`.trim();
}
