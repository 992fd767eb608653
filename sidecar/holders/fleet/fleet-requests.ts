import type { Clock } from '../../../server/clock';
import type { FleetEvent } from '../../events/event';
import { untold, type TurnAnswer } from './fleet-answers';
import { areSameNames, type FleetNames } from './fleet-memory';
import type { FleetState } from './fleet-phase';
import type { FleetServer } from './fleet-server';
import type { FleetStatus } from './fleet-status';

/** A device that wants nothing says so once a day. Milliseconds. */
const SAYS_STEADY_EVERY_MS = 86_400_000;

/** After a start it does so within this time, at random: a turn may have been forgotten with the state directory. Milliseconds. */
const SAYS_STEADY_WITHIN_MS = 3_600_000;

export interface FleetRequestsOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Under which this device asks. */
  readonly settings: { readonly names: FleetNames };
  readonly server: Pick<FleetServer, 'ask' | 'giveBack'>;
  readonly emit: (event: FleetEvent) => void;
}

/** The requests to the server of the fleet, one at a time, and what becomes of them. Times are monotonic milliseconds. */
export class FleetRequests {
  server: FleetStatus['server'] = 'not-asked-yet';
  isBusy = false;
  /** When to say next that this device wants nothing. */
  saysSteadyAtMs: number;
  /** The turns that could not be given back, each with the time of the next attempt: a server that is gone for good holds up no other. */
  #failed: readonly { readonly names: FleetNames; readonly failures: number; readonly nextAtMs: number }[] = [];

  constructor(private readonly options: FleetRequestsOptions) {
    this.saysSteadyAtMs = options.clock.monotonicMs() + options.random() * SAYS_STEADY_WITHIN_MS;
  }

  async ask(names: FleetNames): Promise<TurnAnswer> {
    this.isBusy = true;
    const answer = await this.options.server.ask(names);
    this.isBusy = false;
    const detail = answer.kind === 'given' ? '' : answer.detail;
    this.#reached(names, answer.kind !== 'none', detail);
    this.options.emit({ type: 'fleet-turn', result: answer.kind === 'given' ? 'granted' : answer.kind === 'none' ? 'failed' : 'refused', detail });
    return answer;
  }

  /** The request that is due, the one for a turn first; null for none. */
  due({ phase, memory: { asked, toReturn } }: FleetState, mayGiveBack: boolean): { readonly kind: 'ask' | 'give back'; readonly names: FleetNames } | null {
    const nowMs = this.options.clock.monotonicMs();
    if (this.isBusy) return null;
    const isAsking = phase.kind === 'asking' && asked !== null;
    if (isAsking && nowMs >= phase.nextAskAtMs) {
      // A turn under the same names is given back first: what is given now could be given back by a request that is still to be sent.
      const isOwed = toReturn.some((each) => areSameNames(each, asked));
      if (!isOwed) return { kind: 'ask', names: asked };
      if (mayGiveBack) return { kind: 'give back', names: asked };
    }
    if (!mayGiveBack) return null;
    const others = toReturn.filter((each) => !isAsking || !areSameNames(each, asked));
    const saysSteady = phase.kind === 'idle' && asked === null && nowMs >= this.saysSteadyAtMs;
    const names = others.find((each) => this.#failureOf(each).nextAtMs <= nowMs) ?? (saysSteady ? this.options.settings.names : null);
    return names === null ? null : { kind: 'give back', names };
  }

  /** When that is next; Infinity if nothing has failed. */
  get nextReturnAtMs(): number {
    const nowMs = this.options.clock.monotonicMs();
    return Math.min(...this.#failed.map(({ nextAtMs }) => nextAtMs).filter((each) => each > nowMs));
  }

  /** `problem` is null if that is done without doubt. */
  async giveBack(names: FleetNames): Promise<{ readonly problem: string | null; readonly hasAnswered: boolean }> {
    const { server, clock, random } = this.options;
    this.isBusy = true;
    const { problem, hasAnswered } = await server.giveBack(names);
    this.isBusy = false;
    this.#reached(names, hasAnswered, problem ?? '');
    const nowMs = clock.monotonicMs();
    const { failures } = this.#failureOf(names);
    const nextAtMs = problem === null ? nowMs + SAYS_STEADY_EVERY_MS : nowMs + untold(failures, random());
    this.#failed = this.#failed.filter((each) => !areSameNames(each.names, names));
    if (problem !== null) this.#failed = [...this.#failed, { names, failures: failures + 1, nextAtMs }];
    if (areSameNames(names, this.options.settings.names)) this.saysSteadyAtMs = nextAtMs;
    return { problem, hasAnswered };
  }

  #failureOf(names: FleetNames): { readonly failures: number; readonly nextAtMs: number } {
    return this.#failed.find((each) => areSameNames(each.names, names)) ?? { failures: 0, nextAtMs: -Infinity };
  }

  /** Notes whether the server answers; not of one that this device was once told to ask. */
  #reached({ url }: FleetNames, isReached: boolean, problem: string): void {
    if (url !== this.options.settings.names.url) return;
    const was = this.server;
    this.server = isReached ? 'reachable' : 'unreachable';
    if (!isReached && was !== 'unreachable') this.options.emit({ type: 'fleet-missed', problem });
    if (isReached && was === 'unreachable') this.options.emit({ type: 'fleet-reached' });
  }
}
