import type { WaitingKind } from '../../leases/waiting';
import type { FleetMemory, FleetNames } from './fleet-memory';

/** The phases of a turn, and what moves them. Times are milliseconds of the monotonic clock, unless they say otherwise. */

export type Phase =
  | { readonly kind: 'idle'; readonly asksFromMs: number }
  | {
      readonly kind: 'asking';
      readonly sinceMs: number;
      readonly nextAskAtMs: number;
      /** Since the server last said when to ask again. */
      readonly tries: number;
      /** The last answer was a refusal without doubt, so there is no turn to give back. */
      readonly isRefused: boolean;
      /** When to go on without a turn, since there is no answer at all; null while there is one, or if that is never done. */
      readonly goesOnAtMs: number | null;
      /** What the server, or the attempt to ask it, says; empty before the first answer. */
      readonly detail: string;
    }
  /** The lock is free for the update. Without a turn of the server's if that could not be asked. */
  | {
      readonly kind: 'turn';
      readonly sinceMs: number;
      readonly isGiven: boolean;
      /** Since when the Supervisor's file is there; null if it is not. */
      readonly fileSinceMs: number | null;
    }
  | {
      readonly kind: 'settling';
      readonly sinceMs: number;
      /** Since when each reading has found the device well; null if the last one has not. */
      readonly wellSinceMs: number | null;
      /** What is not well; null if nothing is wrong, or before the first reading. */
      readonly trouble: string | null;
    };

export interface FleetState {
  readonly phase: Phase;
  readonly memory: FleetMemory;
  /** How many turns in a row have gone by without anything beginning. */
  readonly idleTurns: number;
  /** The release, by its commit, that the device was to have in the last of them; null for none, or if that is not known. */
  readonly idleTarget: string | null;
}

/** What a device sees of itself. */
export interface FleetFacts {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly boot: string;
  readonly waiting: readonly WaitingKind[];
  /** The release that the device is to have, by its commit; null if that is not known. */
  readonly target: string | null;
  /** The release that it has; null if that is not known. */
  readonly runs: string | null;
  /** The version of the host OS; null if that is not known. */
  readonly os: string | null;
  /** Whether the host OS reboots, or is to reboot once another service has given back its lock. */
  readonly isRebootNear: boolean;
  /** Whether it is known what waits: before the Supervisor has answered nothing is. */
  readonly isKnown: boolean;
  /** Whether another lease holds the lock, one that an update has to wait for. */
  readonly isBlocked: boolean;
  /** Whether the Supervisor or Helios has the lock. */
  readonly isUpdating: boolean;
  /** Whether somebody allows updates, so that no turn is needed. */
  readonly isAllowed: boolean;
  /** Whether apps are being drained, which takes its time. */
  readonly isDraining: boolean;
  /** Whether the Supervisor could not be made to try now. */
  readonly triesLater: boolean;
}

export interface FleetSettings {
  readonly names: FleetNames;
  readonly settleMs: number;
  /** Null for never. */
  readonly maxWaitMs: number | null;
}
