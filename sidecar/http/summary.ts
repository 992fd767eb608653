import type { Timeline } from '../../server/clock';
import type { TimeZone } from '../../server/time-zone';
import type { Allowance } from '../holders/allowances';
import type { FoundPath } from '../keeper/left-behind';
import { isUpdater, type LockStatus } from '../keeper/status';
import type { Lease } from '../leases/lease';
import type { LeasePolicies } from '../leases/policies';
import { thingsHave, WAITING_THINGS } from '../leases/waiting';
import { isPending, pendingSinceMs, type UpdateStatus } from '../supervisor/update-status';
import { capitalised, printable } from '../../server/text';

/** How many holders, or tags, are named; the others are counted. */
const MAX_NAMED = 3;

export interface Known {
  readonly lock: LockStatus;
  /** Null if nothing is known of updates. */
  readonly update: UpdateStatus | null;
  readonly isDraining: boolean;
  /** When a drain ends the leases of apps; null while there is no drain, or after it has. */
  readonly drainEndsAtMs: number | null;
  /** Somebody allows updates, whatever the windows say; null if nobody does. */
  readonly allowance: Allowance | null;
  /** The names of device tags that should steer the sidecar and cannot be read. */
  readonly unreadableTags: readonly string[];
  readonly policies: Pick<LeasePolicies, 'of'>;
  readonly nowMs: number;
  readonly timeline: Pick<Timeline, 'toWallMs'>;
  readonly zone: TimeZone;
}

/** One sentence that answers "why is my device not updating?", and perhaps one about device tags. */
export function summarise(known: Known): string {
  return andUnreadable(known, whyNotUpdating(known));
}

function whyNotUpdating(known: Known): string {
  const { lock, nowMs, timeline } = known;
  const detail = uncapitalised(lock.refusal?.detail ?? '');
  switch (lock.state) {
    case 'held':
      return andAllowed(known, whileHeld(known));
    case 'free':
      return andAllowed(known, whileFree(known));
    case 'updating':
      return `An update is being applied${updatingFor(lock, timeline.toWallMs(nowMs))}: ${detail}`;
    case 'foreign':
      return `Updates are held back by somebody else: ${detail}${leftBehindSince(lock, timeline.toWallMs(nowMs))}`;
    case 'cooldown': {
      const opens = timeOfDay(known, nowMs + (lock.refusal?.retryAfterMs ?? 0));
      return `The lock was just taken away from outside, so an update can get through; leases are granted again from ${opens}.`;
    }
    case 'unavailable':
      return `Nobody can hold back updates now: ${detail}`;
  }
}

function andUnreadable({ unreadableTags }: Known, sentence: string): string {
  if (unreadableTags.length === 0) return sentence;
  return `${sentence} ${unreadableTags.length === 1 ? 'The device tag' : 'The device tags'} ${listed(unreadableTags)} cannot be read.`;
}

const ALLOWED_BY: Readonly<Record<Allowance['by'], string>> = { override: 'by hand', tag: 'by a device tag' };

function andAllowed(known: Known, sentence: string): string {
  const { allowance } = known;
  if (allowance === null) return sentence;
  const why = allowance.reason === '' ? '' : ` (${printable(allowance.reason)})`;
  return `${sentence.slice(0, -1)}; updates are allowed ${ALLOWED_BY[allowance.by]}${why} until ${wallTimeOfDay(known, allowance.untilWallMs)}.`;
}

function whileHeld(known: Known): string {
  const { lock, update, isDraining, drainEndsAtMs, policies, nowMs } = known;
  const who = holders(lock.leases);
  const since = timeOfDay(known, lock.sinceMs ?? nowMs);
  const until = lock.expiresAtMs === null ? untilReleased(known) : `until ${timeOfDay(known, lock.expiresAtMs)} at the latest`;
  const held = `held back by ${who} since ${since}, ${until}`;
  if (update === null) return `Updates are ${held}.`;
  if (isPending(update)) {
    const waits = `${capitalised(thingsHave(update.waiting))} been waiting since ${timeOfDay(known, pendingSinceMs(update) ?? nowMs)}`;
    // What a drain does not end is not asked to let go.
    const drained = lock.leases.filter(({ name }) => !policies.of(name).survivesDrain);
    if (isDraining && drained.length > 0) return `${waits}, which is long enough: ${holders(drained)} must let go ${drainEndsAtMs === null ? 'now' : `by ${timeOfDay(known, drainEndsAtMs)}`}.`;
    return `${waits}; ${update.waiting.length === 1 ? 'it is' : 'they are'} ${held}${unreachableNow(update, 'the Supervisor')}.`;
  }
  return `Updates are ${held}; ${whatWaits(update)}.`;
}

/** A holder of the sidecar's own may know when it lets go, though not by the clock that leases go by. */
function untilReleased(known: Known): string {
  const { lock, update, policies } = known;
  const ends = lock.leases.map(({ name }) => policies.of(name).end()).filter((end) => end !== null);
  if (ends.some(({ isUpToPeople }) => isUpToPeople)) {
    const waiting = update === null ? 0 : update.waiting.length;
    return waiting === 0 ? 'and somebody has to allow them' : waiting === 1 ? 'and waits for somebody to allow it' : 'and wait for somebody to allow them';
  }
  const last = ends.toSorted((a, b) => (b.atWallMs ?? Infinity) - (a.atWallMs ?? Infinity))[0];
  const isOpen = lock.leases.some(({ name, endsAtMs }) => endsAtMs === null && policies.of(name).end() === null);
  if (last === undefined || isOpen) return lock.leases.length === 1 ? 'until it is released' : 'until all of them let go';
  const lastTimedMs = Math.max(...lock.leases.map(({ endsAtMs }) => endsAtMs ?? -Infinity));
  if (last.atWallMs !== null && known.timeline.toWallMs(lastTimedMs) > last.atWallMs) return `until ${timeOfDay(known, lastTimedMs)} at the latest`;
  return `until ${last.event}${last.atWallMs === null ? '' : ` at ${wallTimeOfDay(known, last.atWallMs)}`}`;
}

function whileFree(known: Known): string {
  const { update, isDraining } = known;
  if (isDraining) return 'Nothing holds back the update that has waited long enough; apps get no lease until it has come.';
  if (update === null) return 'Nothing holds back updates.';
  if (isPending(update)) {
    const since = timeOfDay(known, pendingSinceMs(update) ?? known.nowMs);
    const [first, ...others] = update.waiting;
    if (first === undefined || others.length > 0) return `Nothing holds back updates; ${thingsHave(update.waiting)} been waiting since ${since}.`;
    const { noun, goesOn } = WAITING_THINGS[first.what];
    return `Nothing holds back the ${noun} that has been waiting since ${since}: ${goesOn}${unreachableNow(update, 'the Supervisor')}.`;
  }
  return `Nothing holds back updates; ${whatWaits(update)}.`;
}

function whatWaits(update: UpdateStatus): string {
  if (update.supervisor === 'not-asked-yet') return 'the Supervisor has not been asked yet whether one waits';
  if (update.supervisor === 'unreachable') {
    return `whether one waits is not known, since the Supervisor cannot be reached (${printable(update.problem ?? '')})`;
  }
  if (update.isSilent) return 'whether one waits is not known, since Helios does not tell';
  return update.downloading ? 'one is being downloaded' : 'none is waiting now';
}

function unreachableNow({ supervisor }: UpdateStatus, who: string): string {
  return supervisor === 'unreachable' ? `, though ${who} cannot be reached now` : '';
}

function updatingFor({ paths }: LockStatus, nowWallMs: number): string {
  const age = ageOf(paths.find(isUpdater), nowWallMs);
  return age === null ? '' : ` for ${age}`;
}

function leftBehindSince({ paths }: LockStatus, nowWallMs: number): string {
  const age = ageOf(paths.find(({ isLeftBehind }) => isLeftBehind), nowWallMs);
  return age === null ? '' : ` It was last written ${age} ago.`;
}

/** Null if that is not known, or less than a minute. */
function ageOf(found: FoundPath | undefined, nowWallMs: number): string | null {
  const file = found?.file ?? null;
  const minutes = file === null ? 0 : Math.floor((nowWallMs - file.writtenAtWallMs) / 60_000);
  if (minutes < 1) return null;
  return minutes === 1 ? 'a minute' : minutes < 120 ? `${String(minutes)} minutes` : `${String(Math.floor(minutes / 60))} hours`;
}

function timeOfDay(known: Known, ms: number): string {
  return wallTimeOfDay(known, known.timeline.toWallMs(ms));
}

/** Names its zone: the sentence is also read where other times are in the reader's own. */
function wallTimeOfDay({ timeline, zone, nowMs }: Known, wallMs: number): string {
  const at = zone.read(wallMs);
  const isToday = at.date === zone.read(timeline.toWallMs(nowMs)).date;
  return `${isToday ? '' : `${at.date} `}${at.time} ${at.zone}`;
}

function holders(leases: readonly Lease[]): string {
  return listed(leases.map(({ name, reason }) => (reason === '' ? name : `${name} (${printable(reason)})`)));
}

function listed(all: readonly string[]): string {
  const named = all.slice(0, MAX_NAMED);
  const rest = all.length - named.length;
  if (rest > 0) named.push(`${String(rest)} more`);
  const last = named.pop() ?? '';
  return named.length === 0 ? last : `${named.join(', ')} and ${last}`;
}

function uncapitalised(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
