import type { Waiting } from '../leases/waiting';

/** All that is known of updates. */
export interface UpdateStatus {
  readonly supervisor: 'reachable' | 'unreachable' | 'not-configured' | 'not-asked-yet';
  /** Why the Supervisor cannot be reached; null if it can, or was never asked. */
  readonly problem: string | null;
  readonly downloaded: boolean;
  readonly downloading: boolean;
  readonly failed: boolean;
  /** Helios is alone, and does not tell whether a release waits. */
  readonly isSilent: boolean;
  readonly waiting: readonly Waiting[];
  /** The host OS reboots, or is to reboot once another service has given back its lock. */
  readonly isRebootNear: boolean;
  /** What else there is to tell, for people: something that waits, though not for this lock. */
  readonly detail: string | null;
}

export const NOT_CONFIGURED: UpdateStatus = {
  supervisor: 'not-configured',
  problem: null,
  downloaded: false,
  downloading: false,
  failed: false,
  isSilent: false,
  waiting: [],
  isRebootNear: false,
  detail: null,
};

/** Whether anything waits. */
export function isPending({ waiting }: Pick<UpdateStatus, 'waiting'>): boolean {
  return waiting.length > 0;
}

/** Since when the first of them waits, null if nothing does. */
export function pendingSinceMs({ waiting }: Pick<UpdateStatus, 'waiting'>): number | null {
  return isPending({ waiting }) ? Math.min(...waiting.map(({ sinceMs }) => sinceMs)) : null;
}
