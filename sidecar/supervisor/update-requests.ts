import type { RequestKind, RequestResult, UpdateEvent } from '../events/event';
import type { SupervisorApi, UpdateResult } from './supervisor-api';
import { releaseWaits, type ReleaseStatus } from './release-status';
import type { ReleaseWatch } from './release-watch';

/** A Supervisor that is going to try does so within this time, in milliseconds. */
const TRIES_WITHIN_MS = 10_000;

/** The same with Helios in front: it polls the cloud first, at most every 10 s and for up to 59 s. Milliseconds. */
const TRIES_BEHIND_HELIOS_WITHIN_MS = 80_000;

/** What is asked of the lock here. */
export interface LockState {
  /** Whether the lock is ours. */
  isHeld(): boolean;
  /** Whether the Supervisor or Helios has it: an update is being applied. */
  isSupervisors(): boolean;
  /** The names of the live leases, oldest first. */
  holders(): string[];
}

export interface UpdateRequestsOptions {
  readonly api: Pick<SupervisorApi, 'update'>;
  readonly watch: ReleaseWatch;
  readonly lock: LockState;
  readonly emit: (event: UpdateEvent) => void;
}

/** A request for an update by hand. */
export interface UpdateRequest {
  readonly force: boolean;
  readonly peer: string;
}

export type ByHandResult = { readonly ok: true; readonly status: ReleaseStatus } | { readonly ok: false; readonly problem: string };

/** Asks the Supervisor to try an update now, and finds out what has become of it. */
export class UpdateRequests {
  #trial: { readonly kind: RequestKind; readonly end: (result: RequestResult, detail: string) => void } | null = null;

  constructor(private readonly options: UpdateRequestsOptions) {}

  /** Because somebody wants it. With `force` the lock will be taken away; who holds it is told before. */
  async byHand({ force, peer }: UpdateRequest): Promise<ByHandResult> {
    const { watch, lock, emit } = this.options;
    const status = await watch.look();
    if (status.supervisor !== 'reachable') return { ok: false, problem: status.problem ?? 'it cannot be reached' };
    if (force) emit({ type: 'update-forced', peer, holders: lock.holders() });
    const result = await this.send(force ? 'force' : 'retry', status);
    return result.ok ? { ok: true, status: watch.status } : result;
  }

  /**
   * Asks now. A wait after a failed attempt is cut short, but never a download (balena-supervisor `docs/API.md`, `cancel`).
   */
  async send(kind: RequestKind, { downloading }: ReleaseStatus): Promise<UpdateResult> {
    const { api, watch, emit } = this.options;
    this.#trial?.end('unconfirmed', 'the Supervisor was asked again');
    const result = await api.update({ force: kind === 'force', cancel: !downloading });
    if (!result.ok) emit({ type: 'update-requested', kind, result: 'failed', detail: result.problem });
    else if (result.status === 204) emit({ type: 'update-requested', kind, result: 'accepted', detail: 'the Supervisor tries as soon as it has asked the cloud' });
    else this.#find(kind, releaseWaits(watch.status));
    if (result.ok) watch.lookInAftermath();
    return result;
  }

  /** To be called when the lock, or the status of updates, may have changed: the meaning of a 202 depends on it. */
  check(): void {
    if (this.#trial === null) return;
    const { watch, lock } = this.options;
    if (lock.isSupervisors()) this.#trial.end('accepted', 'the Supervisor has taken the lock');
    else if (!releaseWaits(watch.status)) this.#trial.end('accepted', 'the update does not wait any more');
    else if (lock.isHeld() && this.#trial.kind !== 'force') {
      this.#trial.end('unconfirmed', 'the lock is held, so nothing shows whether the Supervisor tries');
    }
  }

  close(): void {
    this.#trial?.end('unconfirmed', 'the sidecar stops');
  }

  /**
   * 202 is "accepted" from Helios, and "ignored" from a Supervisor whose instant updates are off
   * (`BALENA_SUPERVISOR_INSTANT_UPDATE_TRIGGER`): what happens next tells which.
   */
  #find(kind: RequestKind, wasPending: boolean): void {
    if (!wasPending) {
      const detail = 'no update is known to wait, so nothing shows whether the Supervisor tries';
      this.options.emit({ type: 'update-requested', kind, result: 'unconfirmed', detail });
      return;
    }
    const end = (result: RequestResult, detail: string): void => {
      clearTimeout(timer);
      this.#trial = null;
      this.options.emit({ type: 'update-requested', kind, result, detail });
    };
    const { watch } = this.options;
    const withinMs = watch.status.isBehindHelios ? TRIES_BEHIND_HELIOS_WITHIN_MS : TRIES_WITHIN_MS;
    const trial = { kind, end };
    const timer = setTimeout(() => {
      // What is known may be old by now.
      void watch.look().then(({ supervisor }) => {
        if (this.#trial === trial) this.check();
        if (this.#trial !== trial) return;
        if (supervisor === 'reachable') end('ignored', 'instant updates are turned off on this device, so the Supervisor tries at its own time');
        else end('unconfirmed', 'the Supervisor has not answered since, so nothing shows whether it tries');
      });
    }, withinMs).unref();
    this.#trial = trial;
  }
}
