import type { Timeline } from '../clock';
import type { Entry, Happening, LockTurn, UpdateHappening } from '../history';
import type { LossCause } from '../keeper/events';
import { formatDuration } from '../leases/duration';
import type { EndedLease, EndReason } from '../leases/lease';
import type { RequestResult } from '../supervisor/events';
import type { HistoryEntryView } from './schemas';

/** Shows what has happened in words for people, beside a word for programs. */
export function showEntry({ atMs, happening }: Entry, timeline: Timeline): HistoryEntryView {
  const { event, name = null, text, detail = '' } = inWords(happening);
  return { at: timeline.toRfc3339(atMs), event, name, text, detail };
}

interface Words {
  readonly event: HistoryEntryView['event'];
  /** Whose lease, or which probe; the text goes on from there. */
  readonly name?: string;
  readonly text: string;
  /** What an app has given as its reason, or what else is known. */
  readonly detail?: string;
}

const ENDS: Readonly<Record<EndReason, string>> = {
  released: 'let go',
  expired: 'expired',
  disconnected: 'ended with its connection',
  lost: 'lost the lock, which was taken away from outside',
  drained: 'was drained: an update had waited long enough',
  stopped: 'ended: the sidecar was stopped',
};

const LOSSES: Readonly<Record<LossCause, string>> = {
  supervisor: 'The Supervisor took the lock away, by force',
  helios: 'Helios took the lock away, by force',
  removed: 'The lock was lost: somebody removed its file',
  replaced: 'The lock was lost: somebody replaced its file',
};

const RESULTS: Readonly<Record<RequestResult, string>> = {
  accepted: 'accepted',
  ignored: 'ignored',
  unconfirmed: 'not confirmed',
  failed: 'failed',
};

function inWords(happening: Happening): Words {
  switch (happening.type) {
    case 'started':
      return { event: 'started', text: 'The sidecar started' };
    case 'lease-acquired': {
      const { name, reason } = happening.lease;
      if (happening.recovered) return { event: 'recovered', name, text: 'kept the lock over a restart of the sidecar', detail: reason };
      return { event: 'acquired', name, text: 'took the lock', detail: reason };
    }
    case 'lease-renewed': {
      const { name, renewals } = happening.lease;
      return { event: 'renewed', name, text: renewals === 1 ? 'renewed' : `renewed, ${String(renewals)} times so far` };
    }
    case 'lease-ended': {
      const { name, ended } = happening.lease;
      return { event: ended.reason, name, text: `${endInWords(happening.lease)}${happening.lock === 'released' ? '; no lease is left' : ''}` };
    }
    case 'lock-lost':
      return { event: 'lock-lost', text: LOSSES[happening.cause], detail: among(happening.holders) };
    case 'lock-turned':
      return lockInWords(happening.turn);
    case 'failed':
      return { event: 'failed', text: `An operation on the lock failed: ${happening.operation}`, detail: happening.detail };
    case 'window-turned':
      if (happening.reason === null) return { event: 'window-opened', text: 'The window for updates has opened' };
      return { event: 'window-closed', text: 'The window for updates has closed' };
    case 'probe-missed':
      return { event: 'probe-missed', name: happening.probe, text: 'cannot be asked', detail: happening.problem };
    case 'probe-reached':
      return { event: 'probe-reached', name: happening.probe, text: 'can be asked again' };
    default:
      return updateInWords(happening);
  }
}

function lockInWords(turn: LockTurn): Words {
  switch (turn) {
    case 'updating':
      return { event: 'updating', text: 'An update is being applied' };
    case 'foreign':
      return { event: 'foreign', text: 'Somebody else has the lock' };
    case 'free':
      return { event: 'free', text: 'The lock is free again' };
  }
}

function updateInWords(happening: UpdateHappening): Words {
  switch (happening.type) {
    case 'update-changed':
      return happening.turn === 'waits' ? { event: 'update-waits', text: 'An update waits' } : { event: 'update-over', text: 'No update waits any more' };
    case 'download-began':
      return { event: 'download-began', text: 'An update is being downloaded' };
    case 'supervisor-missed':
      return { event: 'supervisor-missed', text: 'The Supervisor cannot be reached', detail: happening.problem };
    case 'supervisor-reached':
      return { event: 'supervisor-reached', text: 'The Supervisor answers again' };
    case 'update-requested': {
      const asked = happening.kind === 'force' ? 'to update by force' : 'to try the update now';
      return { event: 'update-requested', text: `The Supervisor was asked ${asked} (${RESULTS[happening.result]})`, detail: happening.detail };
    }
    case 'update-refused':
      return { event: 'update-refused', text: 'Somebody asked for an update, but the Supervisor cannot be asked', detail: happening.problem };
    case 'update-forced':
      return { event: 'update-forced', text: `${happening.peer === 'unix' ? 'Somebody on the Unix socket' : `Somebody at ${happening.peer}`} forces an update: the lock will be lost`, detail: among(happening.holders) };
    case 'deadline-nears': {
      const waited = formatDuration(Math.round(happening.waitedMs / 1000) * 1000);
      return { event: 'deadline-nears', text: `An update has been waiting for ${waited}`, detail: among(happening.holders) };
    }
    case 'draining':
      return { event: 'draining', text: 'Draining: the update has waited long enough, and the apps have to let go', detail: among(happening.holders) };
    case 'drained':
      return { event: 'drain-over', text: happening.hasCome ? 'Draining is over: the update has come' : 'Draining is over, but the update has not come' };
  }
}

/** What was only ever asked for once has simply had its time. */
function endInWords({ kind, renewals, ended }: EndedLease): string {
  return ended.reason === 'expired' && kind === 'timed' && renewals > 0 ? 'expired: it was not renewed in time' : ENDS[ended.reason];
}

/** So many holders are named. */
const MAX_NAMED = 10;

function among(holders: readonly string[]): string {
  if (holders.length === 0) return '';
  const more = holders.length - MAX_NAMED;
  return `held by ${holders.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}
