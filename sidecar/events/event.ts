import type { EndedLease, Lease } from '../leases/lease';
import type { Refusal } from '../leases/refusal-codes';
import type { Waiting, WaitingKind } from '../leases/waiting';

/**
 * Everything that happens, in the order in which it happens. Log, metrics, history, streams and the parts that react to each
 * other follow from this alone. Times are milliseconds of the monotonic clock.
 */
export type SidecarEvent =
  /** The process began; the lock may have been taken before anybody could be told. */
  | { readonly type: 'started'; readonly atMs: number }
  | KeeperEvent
  | UpdateEvent
  | DeadlineEvent
  | WindowEvent
  | ProbeEvent
  | OverrideEvent
  | SoakEvent
  | TagEvent
  | FleetEvent
  | ControlTagEvent
  /** The device has another name than was known. */
  | { readonly type: 'device-named' }
  /** Somebody has allowed updates by hand or by a tag, whatever windows say, or no longer does. */
  | { readonly type: 'allowance-changed' };

/** Who took the lock away: the Supervisor or Helios by force, or somebody who removed or replaced the file. */
export const LOSS_CAUSES = ['supervisor', 'helios', 'removed', 'replaced'] as const;
export type LossCause = (typeof LOSS_CAUSES)[number];

/** Operations that can fail without anybody's request failing. */
export const FALLIBLE_OPERATIONS = ['open', 'take', 'give-back', 'journal', 'describe', 'flock', 'state'] as const;
export type FallibleOperation = (typeof FALLIBLE_OPERATIONS)[number];

export interface FailedEvent {
  readonly type: 'failed';
  readonly operation: FallibleOperation;
  readonly detail: string;
}

/** Who has the names of the lock: we, the Supervisor or Helios, somebody else, or nobody. */
export type NamesOwner = 'ours' | 'updating' | 'foreign' | 'free';

/** What happens to leases and lock. The event of a lease also says what happened to the lock. */
export type KeeperEvent =
  /** Lock and journal have been opened, and the leases of a former process taken over. */
  | { readonly type: 'store-opened' }
  /** Something has happened in the lock directory, and the keeper has looked. */
  | { readonly type: 'directory-looked-at' }
  /** The names of the lock have another owner than at the look before. */
  | { readonly type: 'lock-turned'; readonly from: NamesOwner; readonly to: NamesOwner }
  /** Somebody else's file stands at a name of the lock, and no process holds its flock. A file of Helios is stale then. */
  | { readonly type: 'file-left-behind'; readonly path: string; readonly isHelios: boolean; readonly uid: number }
  | { readonly type: 'lease-acquired'; readonly lease: Lease; readonly recovered: boolean; readonly lock: 'taken' | 'held' }
  | { readonly type: 'lease-renewed'; readonly lease: Lease }
  | { readonly type: 'lease-ended'; readonly lease: EndedLease; readonly lock: 'held' | 'released' | 'lost' }
  | { readonly type: 'lock-released'; readonly heldMs: number }
  /** It may come a moment after the loss: the cause is not clear at once. */
  | { readonly type: 'lock-lost'; readonly cause: LossCause; readonly holders: readonly string[]; readonly atMs: number }
  | { readonly type: 'request-waits'; readonly name: string; readonly refusal: Refusal }
  | { readonly type: 'request-dropped'; readonly name: string }
  | { readonly type: 'refused'; readonly name: string; readonly refusal: Refusal }
  | FailedEvent
  /** An update that is being applied has given back the lock, and may take it again. */
  | { readonly type: 'update-paused' }
  /** A gate has opened that could not tell beforehand when. */
  | { readonly type: 'gate-opened' }
  /** The sidecar stops: nothing is granted any more, and streams end. The lock stays for these holders, at these paths. */
  | { readonly type: 'stopping'; readonly holders: readonly string[]; readonly paths: readonly string[] };

export const REQUEST_KINDS = ['retry', 'force'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/**
 * The result of asking the Supervisor for an update. `ignored`: instant updates are off, so it waits for its own time;
 * `unconfirmed`: the lock was taken again before that could be told from success.
 */
export const REQUEST_RESULTS = ['accepted', 'ignored', 'unconfirmed', 'failed'] as const;
export type RequestResult = (typeof REQUEST_RESULTS)[number];

/** What the Supervisor says of updates, and asking it. */
export type UpdateEvent =
  /** The state of updates has changed; `turn` if something has begun to wait, or waits no longer. */
  | { readonly type: 'update-changed'; readonly turn: { readonly what: WaitingKind; readonly waits: boolean } | null }
  | { readonly type: 'download-began' }
  | { readonly type: 'supervisor-reached' }
  | { readonly type: 'supervisor-missed'; readonly problem: string }
  /** The journal of the host, which tells of reboots that wait, has begun to be out of reach. */
  | { readonly type: 'journal-missed'; readonly problem: string }
  | { readonly type: 'journal-reached' }
  | { readonly type: 'update-requested'; readonly kind: RequestKind; readonly result: RequestResult; readonly detail: string }
  /** A client asked for an update, but the Supervisor could not be asked. */
  | { readonly type: 'update-refused'; readonly peer: string; readonly problem: string }
  /** A client is about to force an update: these leases will be lost. */
  | { readonly type: 'update-forced'; readonly peer: string; readonly holders: readonly string[] };

export type DeadlineEvent =
  /** What waits has done so for a third, or two thirds, of the deadline. */
  | { readonly type: 'deadline-nears'; readonly waiting: readonly Waiting[]; readonly waitedMs: number; readonly deadlineAtMs: number; readonly holders: readonly string[] }
  /** The deadline has passed in a fleet that takes turns: the apps are drained once this device has its turn. */
  | { readonly type: 'deadline-passed'; readonly waiting: readonly Waiting[] }
  | { readonly type: 'draining'; readonly endsAtMs: number; readonly reason: string; readonly holders: readonly string[] }
  /** The gate is open again: the update has come, or has not come in time. */
  | { readonly type: 'drained'; readonly hasCome: boolean };

/** What the wall clock says of updates has changed, which may leave the lock as it is. */
export interface WindowEvent {
  readonly type: 'window-turned';
  /** Why updates are held back; null since they are allowed. */
  readonly reason: string | null;
}

/** Somebody opens or closes by hand. */
export type OverrideEvent =
  | { readonly type: 'override-given'; readonly updates: 'allow' | 'hold'; readonly reason: string; readonly forMs: number; readonly peer: string }
  /** `peer` is null where its time was up. */
  | { readonly type: 'override-ended'; readonly updates: 'allow' | 'hold'; readonly peer: string | null };

/** Releases have to wait before they may be applied. */
export type SoakEvent =
  /** The device is to have another release than it has, and has seen it for the first time. */
  | { readonly type: 'soak-began'; readonly commit: string; readonly forMs: number }
  /** It has waited long enough. */
  | { readonly type: 'soak-over'; readonly commit: string }
  /** Releases are no longer held back, since the Supervisor does not name them. */
  | { readonly type: 'soak-missed'; readonly problem: string }
  | { readonly type: 'soak-reached' };

export type ProbeEvent =
  /** The probe has given another answer than before, or its first. */
  | { readonly type: 'probe-turned'; readonly probe: string; readonly isBusy: boolean }
  /** It has begun to fail. */
  | { readonly type: 'probe-missed'; readonly probe: string; readonly problem: string }
  | { readonly type: 'probe-reached'; readonly probe: string }
  /** Each time. */
  | { readonly type: 'probe-asked'; readonly probe: string; readonly result: string };

/** The states of a device in a fleet that takes turns; `off` without one. */
export const FLEET_STATES = ['off', 'idle', 'asking', 'turn', 'settling', 'unwell', 'returning'] as const;
export type FleetStateName = (typeof FLEET_STATES)[number];

/** What has become of asking for a turn, or of a turn. */
export const TURN_RESULTS = ['granted', 'refused', 'failed', 'nothing_began', 'without_turn'] as const;
export type TurnResult = (typeof TURN_RESULTS)[number];

export type FleetEvent =
  | { readonly type: 'fleet-changed'; readonly state: FleetStateName; readonly detail: string }
  | { readonly type: 'fleet-turn'; readonly result: TurnResult; readonly detail: string }
  /** The server of the fleet has begun to be out of reach. */
  | { readonly type: 'fleet-missed'; readonly problem: string }
  | { readonly type: 'fleet-reached' };

/** Writing the summary into a tag of the device. */
export type TagEvent =
  /** It has begun to fail. */
  | { readonly type: 'tag-missed'; readonly name: string; readonly problem: string }
  | { readonly type: 'tag-reached'; readonly name: string };

/** Steering by tags of the device. */
export type ControlTagEvent =
  /** `value` is quoted and shortened; null for a tag that was removed. */
  | { readonly type: 'control-tags-changed'; readonly changes: readonly { readonly name: string; readonly value: string | null }[] }
  /** Once for each value. */
  | { readonly type: 'control-tag-unreadable'; readonly name: string; readonly value: string; readonly problem: string }
  /** Reading them has begun to fail. */
  | { readonly type: 'control-tags-missed'; readonly problem: string }
  | { readonly type: 'control-tags-reached' };
