import type { EndReason, EndedLease, Lease, LockEvent, Update } from '../types';
import { span, timeStamp } from './moments';
import { printable } from './output';
import { thingsThatAre } from './waiting-text';

const ENDED: Readonly<Record<EndReason, string>> = {
  released: 'released',
  expired: 'expired',
  disconnected: 'ended: its holder has gone',
  lost: 'lost: the lock was taken away',
  drained: 'ended: an update has waited long enough',
  stopped: 'ended: the sidecar has stopped',
};

/** One event as a line for a person. */
export function eventText(event: LockEvent): string {
  switch (event.type) {
    case 'lock':
      return `lock    ${event.data.state}: ${printable(event.data.summary)}`;
    case 'lease':
      return `lease   ${printable(event.data.name)} ${leaseText(event.data)}`;
    case 'update':
      return `update  ${updateText(event.data)}`;
    case 'fleet':
      return `fleet   ${event.data.state}${event.data.detail === null ? '' : `: ${printable(event.data.detail)}`}`;
  }
}

function leaseText(lease: Lease | EndedLease): string {
  const reason = lease.reason === '' ? '' : ` (${printable(lease.reason)})`;
  if ('ended' in lease) return `${ENDED[lease.ended.reason]}${reason}, after ${span(Date.parse(lease.ended.at) - Date.parse(lease.since))}`;
  const until = lease.expires === null ? '' : `, until ${timeStamp(lease.expires)}`;
  return lease.renewals > 0 ? `renewed${reason}${until}` : `held${reason} since ${timeStamp(lease.since)}${until}`;
}

function updateText(update: Update): string {
  const { supervisor, pending, blockedBy, draining, drainEnds } = update;
  if (supervisor === 'not-asked-yet') return 'not known: the Supervisor has not been asked yet';
  if (supervisor !== 'reachable') return supervisor === 'unreachable' ? 'not known: the Supervisor does not answer' : 'not known: no access to the Supervisor';
  if (!pending) return 'none is pending';
  const blocked = blockedBy.length === 0 ? '' : `, held back by ${printable(blockedBy.join(', '))}`;
  return `${thingsThatAre(update)} pending${blocked}${draining ? drainText(drainEnds) : ''}`;
}

function drainText(drainEnds: string | null): string {
  return drainEnds === null ? ', and the leases of apps have ended' : `, and the leases of apps end at ${timeStamp(drainEnds)}`;
}
