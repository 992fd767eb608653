import type { IconName } from './icons';
import type { EndedLease, Lease, Lock, Update } from './known';

/** So many events are shown. */
export const MAX_EVENTS = 50;

/** Something that happened, in words. `who` is as an app has given it. */
export interface Happening {
  readonly key: string;
  readonly atMs: number;
  readonly icon: IconName;
  readonly who: string;
  readonly what: string;
  /** Of a reason that an app has given. */
  readonly why: string;
}

const ENDS: Readonly<Record<EndedLease['ended']['reason'], readonly [IconName, string]>> = {
  released: ['check', 'let go'],
  expired: ['clock', 'expired: it was not renewed in time'],
  disconnected: ['unplugged', 'ended with its connection'],
  lost: ['alert', 'lost the lock, which was taken away from outside'],
  drained: ['alert', 'was drained: an update had waited long enough'],
  stopped: ['power', 'ended: the sidecar was stopped'],
};

/** That it is held is what the leases say. */
const STATES: Readonly<Record<Exclude<Lock['state'], 'held'>, readonly [IconName, string]>> = {
  free: ['open', 'The lock is free'],
  updating: ['update', 'An update is being applied'],
  foreign: ['alert', 'Somebody else has the lock'],
  cooldown: ['clock', 'The lock was taken away from outside'],
  unavailable: ['cross', 'The lock cannot be taken'],
};

/** The last of what has happened, the latest first. */
export class History {
  #events: Happening[] = [];
  #number = 0;

  get events(): readonly Happening[] {
    return this.#events;
  }

  /** The state has been told from the start: of what was before, only this is known. */
  begin(leases: readonly Lease[], update: Update, nowMs: number): void {
    if (this.#events.length > 0) {
      this.#add(nowMs, 'plug', 'Connected again; what happened meanwhile was not seen');
      return;
    }
    const before: [number, () => void][] = leases.map((lease) => {
      const atMs = Date.parse(lease.since);
      return [atMs, () => { this.#add(atMs, 'lock', 'took the lock', lease.name, lease.reason); }];
    });
    const { since } = update;
    if (since !== null) before.push([Date.parse(since), () => { this.#noteWaiting(since); }]);
    for (const [, note] of before.sort(([one], [other]) => one - other)) note();
  }

  noteLease(lease: Lease | EndedLease, nowMs: number): void {
    const { name, reason, since, renewals } = lease;
    if ('ended' in lease) {
      const [icon, what] = ENDS[lease.ended.reason];
      this.#add(Date.parse(lease.ended.at), icon, what, name);
    } else if (renewals === 0) {
      this.#add(Date.parse(since), 'lock', 'took the lock', name, reason);
    } else {
      // A lease that is renewed all the time must not push out everything else.
      const key = `${name} ${since}`;
      this.#events = this.#events.filter((event) => event.key !== key);
      this.#add(nowMs, 'renew', renewals === 1 ? 'renewed' : `renewed, ${String(renewals)} times so far`, name, '', key);
    }
  }

  noteLock(before: Lock, now: Lock, nowMs: number): void {
    if (now.state !== before.state && now.state !== 'held') this.#add(nowMs, ...STATES[now.state]);
    if (now.window !== null && before.window !== null && now.window.open !== before.window.open) {
      this.#add(nowMs, 'calendar', now.window.open ? 'The window for updates has opened' : 'The window for updates has closed');
    }
  }

  noteUpdate(before: Update, now: Update, nowMs: number): void {
    if (now.since !== null && before.since === null) this.#noteWaiting(now.since);
    if (!now.pending && before.pending) this.#add(nowMs, 'check', 'No update waits any more');
    if (now.draining && !before.draining) this.#add(nowMs, 'alert', 'Draining: the update has waited long enough, and the apps have to let go');
    if (!now.draining && before.draining) this.#add(nowMs, 'check', 'Draining is over');
    if (now.downloading && !before.downloading) this.#add(nowMs, 'download', 'An update is being downloaded');
    if (now.supervisor !== before.supervisor && now.supervisor !== 'not-configured') {
      const isReachable = now.supervisor === 'reachable';
      this.#add(nowMs, isReachable ? 'plug' : 'unplugged', isReachable ? 'The Supervisor answers' : 'The Supervisor cannot be reached');
    }
  }

  #noteWaiting(since: string): void {
    this.#add(Date.parse(since), 'hourglass', 'An update waits');
  }

  #add(atMs: number, icon: IconName, what: string, who = '', why = '', key?: string): void {
    this.#number += 1;
    this.#events = [{ key: key ?? String(this.#number), atMs, icon, who, what, why }, ...this.#events].slice(0, MAX_EVENTS);
  }
}
