import { ID_PATTERN } from './device-id';

export type ReadTokens =
  | { readonly ok: true; readonly tokens: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** Reads lines of an id and a token; empty lines and those that begin with `#` are left out. The mistakes repeat no token. */
export function parseDeviceTokens(text: string): ReadTokens {
  const tokens = new Map<string, string>();
  const mistakes: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [id = '', token = '', ...more] = line.trim().split(/\s+/);
    const where = `line ${String(index + 1)}`;
    if (more.length > 0 || !ID_PATTERN.test(id) || !/^[\x21-\x7e]{1,512}$/.test(token)) mistakes.push(`${where} is not an id and a token, separated by spaces`);
    else if (tokens.has(id)) mistakes.push(`${where} names ${JSON.stringify(id)} again`);
    else tokens.set(id, token);
  }
  return mistakes.length === 0 ? { ok: true, tokens } : { ok: false, mistakes };
}
