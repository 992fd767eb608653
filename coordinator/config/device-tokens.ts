import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { messageOf } from '../../server/text';
import { ID_PATTERN } from './device-id';

/** How often the file is looked at, in milliseconds. */
const LOOK_EVERY_MS = 5000;

export type Tokens = ReadonlyMap<string, string>;

export type ReadTokens =
  | { readonly ok: true; readonly tokens: Tokens }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/**
 * Reads lines of an id and a token; empty lines and those that begin with `#` are left out. The mistakes repeat no token.
 * @param adminToken what no device may have; null if there is none
 */
export function parseDeviceTokens(text: string, adminToken: string | null): ReadTokens {
  const tokens = new Map<string, string>();
  const mistakes: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [id = '', token = '', ...more] = line.trim().split(/\s+/);
    const where = `line ${String(index + 1)}`;
    if (more.length > 0 || !ID_PATTERN.test(id) || !/^[\x21-\x7e]{1,512}$/.test(token)) mistakes.push(`${where} is not an id and a token, separated by spaces`);
    else if (token === adminToken) mistakes.push(`${where} has the admin token, with which ${JSON.stringify(id)} could release others; another token is allowed`);
    else if (tokens.has(id)) mistakes.push(`${where} names ${JSON.stringify(id)} again`);
    else tokens.set(id, token);
  }
  return mistakes.length === 0 ? { ok: true, tokens } : { ok: false, mistakes };
}

export function readDeviceTokens(path: string, adminToken: string | null): ReadTokens {
  try {
    return parseDeviceTokens(readFileSync(path, 'utf8'), adminToken);
  } catch (error) {
    return { ok: false, mistakes: [`${JSON.stringify(path)} cannot be read: ${messageOf(error)}`] };
  }
}

/**
 * Reads the file again when it has changed, also if another file has taken its name.
 * @returns what ends that
 */
export function followDeviceTokens(path: string, adminToken: string | null, onRead: (read: ReadTokens) => void): () => void {
  const read = (): void => { onRead(readDeviceTokens(path, adminToken)); };
  watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, read);
  return () => { unwatchFile(path, read); };
}
