import { shown } from './elements';

/** How a request went, in words for people where it did not go well. */
export type Answer =
  | { readonly ok: true }
  /** `token`: what it was that did not do: none, or one that is none of the sidecar's; or one that does not allow this. */
  | { readonly ok: false; readonly token?: 'wrong' | 'not-enough'; readonly words: string };

const TOKEN_STATUSES: Readonly<Record<number, 'wrong' | 'not-enough'>> = { 401: 'wrong', 403: 'not-enough' };

const KEY = 'update-lock-token';

/** The token that was typed in: in this tab, and only until it is closed. */
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

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const { value } = token;
  if (/[^\x21-\x7e]/.test(value)) return { ok: false, token: 'wrong', words: 'That is no token: a token has neither spaces nor letters beyond ASCII.' };
  const headers: Record<string, string> = {};
  if (value !== '') headers['Authorization'] = `Bearer ${value}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    return { ok: false, words: 'The sidecar cannot be reached.' };
  }
  if (response.ok) return { ok: true };
  const wrong = TOKEN_STATUSES[response.status];
  return { ok: false, ...(wrong === undefined ? {} : { token: wrong }), words: await wordsOf(response) };
}

/** What the problem says; whatever is in between may answer something else. */
async function wordsOf(response: Response): Promise<string> {
  try {
    const { detail } = (await response.json()) as { detail?: unknown };
    if (typeof detail === 'string' && detail !== '') return shown(detail);
  } catch {
    // Not a problem document.
  }
  return `The answer was ${String(response.status)} ${shown(response.statusText)}`.trim();
}
