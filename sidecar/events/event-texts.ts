import { formatDuration } from '../../server/duration';
import { capitalised } from '../../server/text';
import { thingsHave, WAITING_THINGS } from '../leases/waiting';
import type { SidecarEvent } from './event';
import { HOLDER_DESCRIBERS } from './holder-event-texts';
import { heldBy, howItEnded, howRenewed, leaseFields, LOSSES, RESULTS, somebodyAt, TURNS } from './phrases';
import { FLEET_DESCRIBERS } from './fleet-event-texts';
import { SOAK_DESCRIBERS } from './soak-event-texts';
import { TAG_DESCRIBERS } from './tag-event-texts';

/** How an event is told: as a line of the log, and as an entry of the history. */
export interface Description {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Null for events that come with every request, or say nothing that another event does not say. */
  readonly history: HistoryText | null;
}

export interface HistoryText {
  readonly event: HistoryEvent;
  /** The lease's or the probe's; the text goes on from there. */
  readonly name?: string;
  readonly text: string;
  /** The reason that an app has given, or what else is known. */
  readonly detail?: string;
}

/** The kinds of entry in the history, for programs. */
export const HISTORY_EVENTS = [
  'started', 'acquired', 'recovered', 'renewed', 'released', 'expired', 'disconnected', 'lost', 'drained', 'stopped',
  'lock-lost', 'updating', 'foreign', 'left-behind', 'free', 'failed',
  'update-waits', 'update-over', 'download-began', 'update-requested', 'update-refused', 'update-forced',
  'deadline-nears', 'draining', 'drain-over', 'supervisor-missed', 'supervisor-reached',
  'window-opened', 'window-closed', 'override-given', 'override-ended', 'probe-missed', 'probe-reached',
  'soak-began', 'soak-over', 'soak-missed', 'soak-reached',
  'control-tags-changed', 'control-tag-unreadable', 'control-tags-missed', 'control-tags-reached',
  'fleet-changed', 'fleet-turn', 'fleet-missed', 'fleet-reached',
] as const;
export type HistoryEvent = (typeof HISTORY_EVENTS)[number];

export type Describers<E extends SidecarEvent = SidecarEvent> = {
  readonly [T in E['type']]: ((event: Extract<E, { readonly type: T }>) => Description | null) | null;
};

/** One description of each event; null for events that only parts of the sidecar tell each other. */
const DESCRIBERS: Describers = {
  'store-opened': null,
  'directory-looked-at': null,
  'gate-opened': null,
  'allowance-changed': null,
  'device-named': null,
  stopping: ({ holders, paths }) => holders.length === 0 ? null : {
    level: 'info',
    message: 'stopping: the lock stays on disk for the leases that are live',
    fields: { holders, paths, detail: `their holders go on when the sidecar is back; UPDATE_LOCK_ON_STOP=release would end them` },
    history: null,
  },
  started: () => ({ level: 'debug', message: 'started', history: { event: 'started', text: 'The sidecar started' } }),
  'lock-turned': ({ from, to }) => ({
    level: 'debug',
    message: 'lock files changed owner',
    fields: { from, to },
    // That we have or had them, the leases say.
    history: to === 'ours' || (to === 'free' && from === 'ours') ? null : { event: to, text: TURNS[to] },
  }),
  'file-left-behind': ({ path, isHelios, uid }) => ({
    level: 'warn',
    message: isHelios ? 'lock file of Helios is stale: no process holds its flock' : "somebody else's lock file may have been left behind: no process holds its flock",
    fields: { path, ...(isHelios ? {} : { uid }) },
    history: { event: 'left-behind', text: isHelios ? 'The lock file of Helios is stale' : 'The lock file may have been left behind: no process holds its flock', detail: path },
  }),
  'update-paused': () => ({
    level: 'info',
    message: 'update may need the lock again',
    history: { event: 'updating', text: 'The update may need the lock again' },
  }),
  'lease-acquired': ({ lease, recovered, lock }) => ({
    level: 'info',
    message: recovered ? 'lease recovered' : 'lease acquired',
    fields: { ...leaseFields(lease), lock },
    history: recovered
      ? { event: 'recovered', name: lease.name, text: 'kept the lock over a restart of the sidecar', detail: lease.reason }
      : { event: 'acquired', name: lease.name, text: 'took the lock', detail: lease.reason },
  }),
  'lease-renewed': ({ lease }) => ({
    level: 'debug',
    message: 'lease renewed',
    fields: leaseFields(lease),
    history: { event: 'renewed', name: lease.name, text: howRenewed(lease) },
  }),
  'lease-ended': ({ lease, lock }) => ({
    level: lease.ended.reason === 'lost' ? 'warn' : 'info',
    message: 'lease ended',
    fields: { ...leaseFields(lease), ended: lease.ended.reason, lasted: formatDuration(lease.ended.atMs - lease.sinceMs), lock },
    history: { event: lease.ended.reason, name: lease.name, text: `${howItEnded(lease)}${lock === 'released' ? '; no lease is left' : ''}` },
  }),
  'lock-released': ({ heldMs }) => ({ level: 'debug', message: 'lock released', fields: { held: formatDuration(heldMs) }, history: null }),
  'lock-lost': ({ cause, holders }) => ({
    level: 'warn',
    message: 'lock lost: it was taken away from outside',
    fields: { cause, holders },
    history: { event: 'lock-lost', text: LOSSES[cause], detail: heldBy(holders) },
  }),
  'request-waits': ({ name, refusal }) => ({ level: 'debug', message: 'request waits', fields: { name, code: refusal.code }, history: null }),
  'request-dropped': ({ name }) => ({ level: 'debug', message: 'request dropped: its client has gone', fields: { name }, history: null }),
  refused: ({ name, refusal: { code, detail } }) => ({ level: 'info', message: 'lease refused', fields: { name, code, detail }, history: null }),
  failed: ({ operation, detail }) => ({
    level: 'error',
    message: 'operation failed',
    fields: { operation, detail },
    history: { event: 'failed', text: operation === 'state' ? 'The state directory cannot be used' : `An operation on the lock failed: ${operation}`, detail },
  }),
  'update-changed': ({ turn }) => {
    if (turn === null) return null;
    const { noun, article } = WAITING_THINGS[turn.what];
    return turn.waits
      ? { level: 'info', message: `${noun} pending`, history: { event: 'update-waits', text: `${capitalised(article)} ${noun} is waiting` } }
      : { level: 'info', message: `${noun} no longer pending`, history: { event: 'update-over', text: `No ${noun} is waiting any more` } };
  },
  'download-began': () => ({
    level: 'debug',
    message: 'update is being downloaded',
    history: { event: 'download-began', text: 'An update is being downloaded' },
  }),
  'supervisor-missed': ({ problem }) => ({
    level: 'warn',
    message: 'Supervisor unreachable',
    fields: { detail: problem },
    history: { event: 'supervisor-missed', text: 'The Supervisor cannot be reached', detail: problem },
  }),
  'supervisor-reached': () => ({
    level: 'info',
    message: 'Supervisor reachable again',
    history: { event: 'supervisor-reached', text: 'The Supervisor answers again' },
  }),
  'journal-missed': ({ problem }) => ({ level: 'warn', message: "host's journal cannot be read: reboots that wait are not seen", fields: { detail: problem }, history: null }),
  'journal-reached': () => ({ level: 'info', message: "host's journal can be read again", history: null }),
  ...TAG_DESCRIBERS,
  ...FLEET_DESCRIBERS,
  'update-requested': ({ kind, result, detail }) => ({
    level: result === 'accepted' ? 'info' : 'warn',
    message: 'update requested',
    fields: { kind, result, detail },
    history: { event: 'update-requested', text: `The Supervisor was asked ${kind === 'force' ? 'to update by force' : 'to try the update now'} (${RESULTS[result]})`, detail },
  }),
  'update-refused': ({ peer, problem }) => ({
    level: 'warn',
    message: 'update request refused',
    fields: { peer, code: 'supervisor-unavailable', detail: problem },
    history: { event: 'update-refused', text: 'Somebody asked for an update, but the Supervisor cannot be asked', detail: problem },
  }),
  'update-forced': ({ peer, holders }) => ({
    level: 'warn',
    message: 'update is being forced: the lock will be lost',
    fields: { peer, holders },
    history: { event: 'update-forced', text: `${somebodyAt(peer)} forces an update: the lock will be lost`, detail: heldBy(holders) },
  }),
  'deadline-nears': ({ waiting, waitedMs, holders }) => {
    const waited = formatDuration(Math.round(waitedMs / 1000) * 1000);
    return {
      level: 'warn',
      message: 'update has been waiting for a long time',
      fields: { waited, holders },
      history: { event: 'deadline-nears', text: `${capitalised(thingsHave(waiting))} been waiting for ${waited}`, detail: heldBy(holders) },
    };
  },
  'deadline-passed': ({ waiting }) => ({
    level: 'warn',
    message: "deadline passed: the apps are drained in this device's turn",
    history: { event: 'deadline-nears', text: `${capitalised(thingsHave(waiting))} waited for the apps until the deadline; they are drained in this device's turn` },
  }),
  draining: ({ reason, holders }) => ({
    level: 'warn',
    message: 'draining: the leases of apps end',
    fields: { detail: reason, holders },
    history: { event: 'draining', text: 'Draining: the update has waited until its deadline, and the apps have to let go', detail: heldBy(holders) },
  }),
  drained: ({ hasCome }) => {
    const result = hasCome ? ' is over: the update has come' : ' is over, but the update has not come';
    return {
      level: hasCome ? 'info' : 'warn',
      message: `draining${result}`,
      history: { event: 'drain-over', text: `Draining${result}` },
    };
  },
  ...HOLDER_DESCRIBERS,
  ...SOAK_DESCRIBERS,
};

/** How an event is told to people; null if it is not. */
export function describe(event: SidecarEvent): Description | null {
  const describer = DESCRIBERS[event.type] as ((event: SidecarEvent) => Description | null) | null;
  return describer?.(event) ?? null;
}
