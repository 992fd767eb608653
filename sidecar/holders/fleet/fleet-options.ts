import type { Clock } from '../../../server/clock';
import type { FleetEvent } from '../../events/event';
import type { Lease } from '../../leases/lease';
import type { LeasePolicies } from '../../leases/policies';
import type { Waiting, WaitingKind } from '../../leases/waiting';
import type { Allowances } from '../allowances';
import type { FleetHolder } from './fleet-holder';
import type { FleetServer } from './fleet-server';
import type { FleetFacts, FleetSettings } from './fleet-phase';

/** How the device is, while it settles. */
export interface DeviceReading {
  /** What waits; null if that is not known. */
  readonly waiting: readonly WaitingKind[] | null;
  /** What is not well, in words; null if nothing is wrong. */
  readonly trouble: string | null;
}

export interface FleetOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly boot: string;
  readonly settings: FleetSettings;
  readonly holder: Pick<FleetHolder, 'memory' | 'isHeld' | 'hold' | 'letGo' | 'remember'>;
  readonly server: Pick<FleetServer, 'ask' | 'giveBack'>;
  readonly keeper: { leases(): Lease[]; readonly isUpdating: boolean };
  readonly policies: Pick<LeasePolicies, 'of'>;
  readonly allowances: Pick<Allowances, 'current'>;
  readonly updates: {
    readonly status: { readonly supervisor: string; readonly waiting: readonly Waiting[]; readonly isRebootNear: boolean; readonly isSilent: boolean };
    attend(): () => void;
    attendReleases(): () => void;
  };
  /** What is known of the releases by their commits, and of the host OS by its version; null for what is not known. */
  readonly versions: () => Pick<FleetFacts, 'target' | 'runs' | 'os'>;
  /** Why an update of this Supervisor can be given no turn; null if it can. */
  readonly tooOld: () => string | null;
  /** Null where an update may wait without end. */
  readonly deadline: { readonly isDue: boolean; readonly isDraining: boolean } | null;
  /** Whether the Supervisor can ask the cloud. */
  readonly isOnline: () => Promise<boolean>;
  readonly read: () => Promise<DeviceReading>;
  readonly emit: (event: FleetEvent) => void;
}
