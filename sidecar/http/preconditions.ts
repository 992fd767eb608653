import type { Lease } from '../leases/lease';
import type { Precondition } from '../leases/request';
import type { Call } from '../../server/http/call';
import { quote } from '../../server/text';
import { PROBLEMS } from './problems';


/** A list of entity tags (RFC 9110, 8.8.3 and 13.1.1). */
const ENTITY_TAGS = /^[ \t,]*(?:(?:W\/)?"[^"]*"[ \t]*(?:,[ \t,]*|$))+$/;

/** Both headers, for the OpenAPI document. */
export const IF_MATCH = {
  description: '`"<id>"`: only that very lease, or one of a list of ids; `*`: any live lease.',
  pattern: new RegExp(`^\\*$|${ENTITY_TAGS.source}`),
};
export const IF_NONE_MATCH = { description: '`*`: only if the lease is new.', pattern: /^\*$/ };

export type ReadPrecondition = { readonly only: Precondition | undefined } | 'answered';

/** The `ETag` of an answer with one lease: its id. */
export function etagOf({ id }: Pick<Lease, 'id'>): string {
  return `"${id}"`;
}

/** Which lease the request is for; `answered` if its preconditions cannot be met or read. */
export function readPrecondition(call: Call): ReadPrecondition {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = call.request.headers;
  const only = ifMatch === undefined ? undefined : readIfMatch(ifMatch);
  if (only === null) {
    call.problem(PROBLEMS.malformed, `If-Match: ${quote(ifMatch)} is neither * nor the id of a lease in double quotation marks.`);
    return 'answered';
  }
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') {
    const message = `${quote(ifNoneMatch)} is not supported; only * is`;
    call.problem(PROBLEMS.invalid, `If-None-Match: ${message}.`, { errors: [{ field: 'If-None-Match', message }] });
    return 'answered';
  }
  if (only !== undefined && ifNoneMatch !== undefined) {
    call.problem(PROBLEMS['precondition-failed'], 'No lease is both new and live: give If-Match or If-None-Match, not both.');
    return 'answered';
  }
  return { only: only ?? (ifNoneMatch === undefined ? undefined : 'new') };
}

/** A weak tag counts as the id. Null if it cannot be read. */
function readIfMatch(value: string): Precondition | null {
  if (value.trim() === '*') return 'renewal';
  if (!ENTITY_TAGS.test(value)) return null;
  return { ids: Array.from(value.matchAll(/"([^"]*)"/g), ([, id = '']) => id) };
}
