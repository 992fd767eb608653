import type { SidecarEvent } from '../events/event';
import type { WaitingKind } from '../leases/waiting';
import { whyTooOld } from './supervisor-version';
import type { Updates } from './updates';

/** Which release the device is to have and which it has, by their commits, and what waits; or why that is not known. */
export type TargetNews =
  /** `target` is null where it was not asked for. */
  | { readonly ok: true; readonly target: string | null; readonly runs: string | null; readonly waiting: readonly WaitingKind[] }
  /** `isTooOld`: this Supervisor is not going to tell it, or not well enough. */
  | { readonly ok: false; readonly problem: string; readonly isTooOld: boolean };

/** Tells it after every change, and has the Supervisor asked all the time, also while the lock is free. */
export class TargetWatch {
  constructor(
    private readonly updates: Pick<Updates, 'status' | 'release' | 'attendReleases'>,
    private readonly onNews: (news: TargetNews) => void,
  ) {
    updates.attendReleases();
  }

  onEvent({ type }: SidecarEvent): void {
    if (type === 'update-changed') this.#tell();
  }

  #tell(): void {
    const { status, release: { runs, target, version } } = this.updates;
    if (status.supervisor === 'not-asked-yet') return;
    const tooOld = whyTooOld(version);
    const problem = tooOld ?? (status.isSilent ? 'Helios alone does not tell' : status.problem ?? (target?.ok === false ? target.problem : null));
    if (problem !== null) this.onNews({ ok: false, problem, isTooOld: tooOld !== null });
    else this.onNews({ ok: true, target: target?.ok === true ? target.commit : null, runs, waiting: status.waiting.map(({ what }) => what) });
  }
}
