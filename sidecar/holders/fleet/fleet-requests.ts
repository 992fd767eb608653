import type { Clock } from '../../../server/clock';
import type { FleetEvent } from '../../events/event';
import { untold, type TurnAnswer } from './fleet-answers';
import type { FleetNames } from './fleet-memory';
import type { FleetServer } from './fleet-server';
import type { FleetStatus } from './fleet-status';

/** A device that wants nothing says so once a day. Milliseconds. */
const SAYS_STEADY_EVERY_MS = 86_400_000;

/** After a start it does so within this time, at random: a turn may have been forgotten with the state directory. Milliseconds. */
const SAYS_STEADY_WITHIN_MS = 3_600_000;

export interface FleetRequestsOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly server: Pick<FleetServer, 'ask' | 'giveBack'>;
  readonly emit: (event: FleetEvent) => void;
}

/** The requests to the server of the fleet, one at a time, and what becomes of them. Times are monotonic milliseconds. */
export class FleetRequests {
  server: FleetStatus['server'] = 'not-asked-yet';
  isBusy = false;
  /** When to try again to give a turn back. */
  returnsFromMs = -Infinity;
  /** When to say next that this device wants nothing. */
  saysSteadyAtMs: number;
  #failures = 0;

  constructor(private readonly options: FleetRequestsOptions) {
    this.saysSteadyAtMs = options.clock.monotonicMs() + options.random() * SAYS_STEADY_WITHIN_MS;
  }

  async ask(names: FleetNames): Promise<TurnAnswer> {
    this.isBusy = true;
    const answer = await this.options.server.ask(names);
    this.isBusy = false;
    const detail = answer.kind === 'given' ? '' : answer.detail;
    this.#reached(answer.kind !== 'none', detail);
    this.options.emit({ type: 'fleet-turn', result: answer.kind === 'given' ? 'granted' : answer.kind === 'none' ? 'failed' : 'refused', detail });
    return answer;
  }

  /** Whether that is done without doubt. */
  async giveBack(names: FleetNames): Promise<boolean> {
    const { server, clock, random } = this.options;
    this.isBusy = true;
    const { problem, hasAnswered } = await server.giveBack(names);
    this.isBusy = false;
    this.#reached(hasAnswered, problem ?? '');
    const nowMs = clock.monotonicMs();
    this.returnsFromMs = problem === null ? nowMs : nowMs + untold(this.#failures, random());
    this.saysSteadyAtMs = problem === null ? nowMs + SAYS_STEADY_EVERY_MS : this.returnsFromMs;
    this.#failures = problem === null ? 0 : this.#failures + 1;
    return problem === null;
  }

  #reached(isReached: boolean, problem: string): void {
    const was = this.server;
    this.server = isReached ? 'reachable' : 'unreachable';
    if (!isReached && was !== 'unreachable') this.options.emit({ type: 'fleet-missed', problem });
    if (isReached && was === 'unreachable') this.options.emit({ type: 'fleet-reached' });
  }
}
