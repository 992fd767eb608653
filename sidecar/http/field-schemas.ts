import * as z from 'zod/mini';
import { DURATION_FORMS, DURATION_MAX_LENGTH, DURATION_PATTERN, formatDuration, parseDuration, secondsToMs } from '../../server/duration';
import { describe, wrongValue } from '../../server/http/field-schemas';
import { REASON_MAX_LENGTH } from '../leases/lease';
import { quote } from '../../server/text';

/** A duration between two others, as text or as a number of seconds; milliseconds when parsed. */
export function duration(minMs: number, maxMs: number, description: string) {
  const range = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}, as ${DURATION_FORMS}`;
  const allowed = `allowed is a duration ${range}`;
  const text = z.union([z.number(), z.string()], { error: ({ input }) => wrongValue(input, 'is not a duration', allowed) });
  const toMs = z.transform((value: number | string, context) => {
    const ms = typeof value === 'number' ? secondsToMs(value) : parseDuration(value);
    if (ms !== null && ms >= minMs && ms <= maxMs) return ms;
    const wrong = ms === null ? 'is not a duration' : ms < minMs ? 'is too short' : 'is too long';
    context.issues.push({ code: 'custom', input: value, message: wrongValue(value, wrong, allowed) });
    return z.NEVER;
  });
  return describe(z.pipe(text, toMs), `${description}: ${range}.`, {
    anyOf: [
      { type: 'number', minimum: minMs / 1000, maximum: maxMs / 1000 },
      { type: 'string', pattern: DURATION_PATTERN.source, maxLength: DURATION_MAX_LENGTH },
    ],
  });
}

export const reason = describe(
  z.pipe(
    z.string({ error: ({ input }) => `${quote(input)} is not text` }),
    z.transform((value: string, context) => {
      // As JSON Schema counts: characters, not the UTF-16 units of JavaScript.
      const length = [...value].length;
      if (length <= REASON_MAX_LENGTH) return value.toWellFormed();
      const message = `has ${String(length)} characters; up to ${String(REASON_MAX_LENGTH)} are allowed`;
      context.issues.push({ code: 'custom', input: value, message });
      return z.NEVER;
    }),
  ),
  'Why the lock is held, for people.',
  { type: 'string', maxLength: REASON_MAX_LENGTH },
);

export const instant = describe(z.string(), 'RFC 3339, in UTC.', { type: 'string', format: 'date-time' });
