import type { Clock } from '../../../server/clock';
import type { EndedLease } from '../../leases/lease';
import { WantedLease, type LeaseKeeper } from '../wanted-lease';
import { ask } from './ask';
import type { ProbeEvent } from '../../events/event';
import { match } from './expression';
import { leaseOfProbe, type ProbeSettings } from './probe-settings';

export interface ProbeOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly keeper: LeaseKeeper;
  readonly emit: (event: ProbeEvent) => void;
}

type Result = { readonly ok: true; readonly isBusy: boolean } | { readonly ok: false; readonly problem: string };

/** Asks one URL again and again, and holds the lease `@probe-<name>` as it answers. */
export class Probe {
  readonly #lease: WantedLease;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** What was answered last; null before the first answer. */
  #isBusy: boolean | null = null;
  /** Why it fails, as it was when that began; null while it works, undefined before it was asked. */
  #problem: string | null | undefined;
  /** Why the lease is held; null if it is not to be. */
  #reason: string | null = null;

  constructor(
    private readonly settings: ProbeSettings,
    private readonly options: ProbeOptions,
  ) {
    this.#lease = new WantedLease(options.keeper, leaseOfProbe(settings.name));
  }

  get name(): string {
    return this.settings.name;
  }

  get isUp(): boolean {
    return this.#problem === null;
  }

  get holds(): boolean {
    return this.options.keeper.get(this.#lease.name) !== undefined;
  }

  start(delayMs: number): void {
    this.#timer = setTimeout(() => { void this.#poll(); }, delayMs).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  /** To be called when the lease of a former process has been taken up: until something is known it stays as it was. */
  onRecovered(reason: string): void {
    if (this.#problem === undefined) this.#reason = reason;
    // Not at once: the other leases have not been recovered yet.
    setImmediate(() => { if (!this.#stop.signal.aborted) this.#holdAsItShouldBe(); });
  }

  /** To be called when the lease has ended. */
  onEnded({ reason, ended }: EndedLease): void {
    // One of a former process may have been lost before it could be taken up: it was held all the same.
    if (ended.reason === 'lost' && this.#problem === undefined) this.onRecovered(reason);
    else this.#lease.onEnded();
  }

  /** To be called when the lock may be had again, where that is not waited for. */
  retry(): void {
    if (this.#reason !== null) this.#holdAsItShouldBe();
  }

  /** The next one comes when its time has come, but not before this one is over. */
  async #poll(): Promise<void> {
    const { clock, random } = this.options;
    const startedMs = clock.monotonicMs();
    const result = await this.#ask();
    if (this.#stop.signal.aborted) return;
    this.#take(result);
    // Up to a tenth sooner, so that probes, and devices, do not ask in step.
    const nextMs = startedMs + this.settings.everyMs * (1 - random() / 10);
    this.start(Math.max(nextMs - clock.monotonicMs(), 0));
  }

  async #ask(): Promise<Result> {
    const answer = await ask(this.settings, this.#stop.signal);
    if (!answer.ok) return answer;
    const { expression, holdsOnMatch } = this.settings;
    const result = await match(expression, answer.text);
    return result.ok ? { ok: true, isBusy: result.matches === holdsOnMatch } : result;
  }

  #take(result: Result): void {
    const { name } = this.settings;
    const { emit } = this.options;
    emit({ type: 'probe-asked', probe: name, result: result.ok ? stateOf(result.isBusy) : result.problem });
    if (result.ok) {
      if (typeof this.#problem === 'string') emit({ type: 'probe-reached', probe: name });
      this.#problem = null;
      this.#reason = result.isBusy ? `${name} says that it is busy` : null;
      if (result.isBusy !== this.#isBusy) emit({ type: 'probe-turned', probe: name, isBusy: result.isBusy });
      this.#isBusy = result.isBusy;
    } else {
      if (typeof this.#problem !== 'string') {
        // As it began: the lease is not rewritten each time that it fails for another reason.
        this.#problem = result.problem;
        emit({ type: 'probe-missed', probe: name, problem: result.problem });
      }
      this.#reason = this.#reasonOnError(this.#problem);
    }
    this.#holdAsItShouldBe();
  }

  #reasonOnError(problem: string): string | null {
    switch (this.settings.onError) {
      case 'keep':
        return this.#reason;
      case 'hold':
        return `the probe failed: ${problem}`;
      case 'release':
        return null;
    }
  }

  #holdAsItShouldBe(): void {
    if (this.#reason === null) this.#lease.letGo();
    else this.#lease.want(this.#reason);
  }
}

export function stateOf(isBusy: boolean): string {
  return isBusy ? 'busy' : 'free';
}
