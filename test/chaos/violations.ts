import type { AcknowledgedLease, Force, History, Sight } from './history';

/** Each time that something was seen in a history that its acknowledged leases rule out; empty if they were all kept. */
export function violations({ leases, forces, sights }: History): string[] {
  const byName = new Map(leases.map((lease) => [lease.name, lease]));
  const promises = leases.map((lease) => promiseOf(lease, forces)).sort((a, b) => a.fromMs - b.fromMs);
  const found: string[] = [];
  let next = 0;
  let near: AcknowledgedLease[] = [];
  for (const sight of [...sights].sort((a, b) => a.fromMs - b.fromMs)) {
    for (let promise = promises[next]; promise !== undefined && promise.fromMs <= sight.toMs; promise = promises[next]) {
      near.push(promise);
      next += 1;
    }
    near = near.filter(({ untilMs }) => untilMs >= sight.fromMs);
    found.push(...near.filter((promise) => isBroken(promise, sight)).map((promise) => broken(promise, sight)));
    found.push(...namesIn(sight).flatMap((name) => revived(byName.get(name), sight, forces)));
  }
  return found;
}

/** What a lease promises: a forced update ends all leases that may have been granted before it has the lock. */
function promiseOf(lease: AcknowledgedLease, forces: readonly Force[]): AcknowledgedLease {
  const ends = forces.filter(({ toMs }) => toMs >= lease.askedMs).map(({ fromMs }) => fromMs);
  return { ...lease, untilMs: Math.min(lease.untilMs, ...ends) };
}

function isBroken(promise: AcknowledgedLease, sight: Sight): boolean {
  const lastsThroughout = promise.fromMs <= sight.fromMs && sight.toMs <= promise.untilMs;
  switch (sight.kind) {
    // As to forced updates: without a lease there is no cooldown, so one may be granted after a file was removed and before it is taken.
    case 'passed':
    case 'not-forced':
      return lastsThroughout;
    case 'taken':
      return promise.fromMs < sight.toMs && sight.fromMs < promise.untilMs && promise.fromMs < promise.untilMs;
    case 'ended':
      return lastsThroughout && sight.name === promise.name;
    case 'listed':
      return lastsThroughout && !sight.names.has(promise.name);
    case 'live':
      return false;
  }
}

function namesIn(sight: Sight): string[] {
  if (sight.kind === 'live') return [sight.name];
  return sight.kind === 'listed' ? [...sight.names] : [];
}

/** A lease that a forced update has ended must not be live again. */
function revived(lease: AcknowledgedLease | undefined, sight: Sight, forces: readonly Force[]): string[] {
  if (lease === undefined) return [];
  const force = forces.find(({ fromMs, toMs }) => lease.fromMs <= fromMs && toMs <= sight.fromMs);
  return force === undefined ? [] : [`${lease.name}, acknowledged at ${at(lease.fromMs)}, was live in ${span(sight)} although an update was forced in ${span(force)}`];
}

function broken(promise: AcknowledgedLease, sight: Sight): string {
  const what = { passed: 'the lock was not there', taken: 'somebody else had the lock', 'not-forced': 'a forced update did not get the lock', ended: 'it had ended', listed: 'it was not listed', live: '' }[sight.kind];
  const who = 'by' in sight ? ` for ${sight.by}` : '';
  return `${promise.name} was acknowledged for ${span(promise)}, but in ${span(sight)} ${what}${who}`;
}

function span({ fromMs, untilMs, toMs }: { readonly fromMs: number; readonly untilMs?: number; readonly toMs?: number }): string {
  return `${at(fromMs)}..${at(untilMs ?? toMs ?? Infinity)}`;
}

function at(ms: number): string {
  return ms.toFixed(3);
}
