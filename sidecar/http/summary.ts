import type { LockStatus } from '../keeper/status';
import type { Lease } from '../leases/lease';
import { printable } from '../lock/banner';

/** How many holders are named; the others are counted. */
const MAX_NAMED = 3;

/** One sentence that answers "why is my device not updating?". */
export function summarise(status: LockStatus, nowMs: number, toRfc3339: (monotonicMs: number) => string): string {
  const { state, leases, sinceMs, expiresAtMs, refusal } = status;
  const timeOfDay = (ms: number): string => {
    const text = toRfc3339(ms);
    const isToday = text.slice(0, 10) === toRfc3339(nowMs).slice(0, 10);
    return isToday ? text.slice(11, 16) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
  };
  switch (state) {
    case 'held': {
      const since = timeOfDay(sinceMs ?? nowMs);
      const until = expiresAtMs === null ? 'until it is released' : `until ${timeOfDay(expiresAtMs)} at the latest`;
      return `Updates are held back by ${holders(leases)} since ${since}, ${until}.`;
    }
    case 'free':
      return 'Nothing holds back updates.';
    case 'updating':
      return `An update is being applied: ${uncapitalised(refusal?.detail ?? '')}`;
    case 'foreign':
      return `Updates are held back by somebody else: ${uncapitalised(refusal?.detail ?? '')}`;
    case 'cooldown': {
      const opens = timeOfDay(nowMs + (refusal?.retryAfterMs ?? 0));
      return `The lock was just taken away from outside, so an update can get through; leases are granted again from ${opens}.`;
    }
    case 'unavailable':
      return `Nobody can hold back updates now: ${uncapitalised(refusal?.detail ?? '')}`;
  }
}

function holders(leases: readonly Lease[]): string {
  const named = leases.slice(0, MAX_NAMED).map(({ name, reason }) => (reason === '' ? name : `${name} (${printable(reason)})`));
  const rest = leases.length - named.length;
  if (rest > 0) named.push(`${String(rest)} more`);
  const last = named.pop() ?? '';
  return named.length === 0 ? last : `${named.join(', ')} and ${last}`;
}

function uncapitalised(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
