import type { FleetStateName, LossCause, SidecarEvent } from '../../events/event';
import { afterAnswer, afterReturn, whileAsked, type TurnAnswer } from './fleet-answers';
import { FleetRequests } from './fleet-requests';
import { FLEET_LEASE } from './fleet-holder';
import { areSameNames, type FleetNames } from './fleet-memory';
import type { FleetOptions } from './fleet-options';
import { detailOf, nameOf, type FleetStatus } from './fleet-status';
import { SupervisorSilence } from './supervisor-silence';
import type { FleetFacts, FleetState } from './fleet-phase';
import { afterLook, holdsLock, resumed, timesOf } from './fleet-state';
import { afterReading } from './settling';

/** Between two readings while a device settles, in milliseconds; less where it settles in a shorter time. */
const READ_EVERY_MS = 10_000;

/** In a turn, and while the device settles, what is due is looked for this often. Milliseconds. */
const LOOK_EVERY_MS = 5000;

/** If nothing has begun so long after the turn was given, the cloud may be out of reach, without which the Supervisor tries nothing now. Milliseconds. */
const ASKS_CLOUD_AFTER_MS = 60_000;

const FORCES: readonly LossCause[] = ['supervisor', 'helios'];

/** Asks a server of the fleet for a turn when everything else allows an update, and gives the turn back when the device is well again. */
export class Fleet {
  #state: FleetState;
  #shown: FleetStateName = 'idle';
  #sinceMs: number;
  #triesLater = false;
  #hasAskedCloud = false;
  readonly #silence: SupervisorSilence;
  #stopWatching: (() => void) | null = null;
  readonly #requests: FleetRequests;
  #readAtMs = -Infinity;
  #isReading = false;
  #stopAttending: (() => void) | null = null;
  #soon: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: FleetOptions) {
    const { clock, holder, boot } = options;
    this.#sinceMs = clock.monotonicMs();
    this.#state = resumed(holder.memory, { nowMs: this.#sinceMs, boot });
    this.#requests = new FleetRequests(options);
    this.#silence = new SupervisorSilence(clock);
    if (this.#state.memory !== holder.memory) holder.remember(this.#state.memory);
    this.#lookSoon();
  }

  /** Why the lock is not held for want of a turn although it should be; null if it is. */
  get problem(): string | null {
    if (this.#silence.isTooLong) return 'The Supervisor has not said for 15 minutes what waits, so the lock is not held for want of a turn';
    const tooOld = this.options.tooOld();
    return tooOld === null ? null : `Releases are given no turn: ${tooOld}`;
  }

  /** Whether no turn is needed. */
  get #isAllowed(): boolean {
    const { allowances, tooOld, updates } = this.options;
    if (allowances.current() !== null || this.#silence.isTooLong) return true;
    // A reboot of the host OS needs its turn with any Supervisor.
    return tooOld() !== null && !updates.status.waiting.some(({ what }) => what === 'reboot');
  }

  get status(): FleetStatus {
    const { phase, memory } = this.#state;
    return {
      state: this.#name,
      names: memory.turn?.names ?? this.options.settings.names,
      sinceMs: this.#sinceMs,
      turnSinceWallMs: memory.turn?.sinceWallMs ?? null,
      nextAskAtMs: phase.kind === 'asking' ? phase.nextAskAtMs : null,
      waitsSinceMs: phase.kind === 'asking' ? phase.sinceMs : null,
      detail: this.#detail,
      server: this.#requests.server,
    };
  }

  get #name(): FleetStateName {
    return nameOf(this.#state, this.options.settings, this.options.clock.monotonicMs());
  }

  get #detail(): string {
    return this.#state.phase.kind === 'idle' && this.problem !== null ? this.problem : detailOf(this.#state, this.#isAllowed);
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'stopping') this.close();
    if (event.type === 'lock-lost' && FORCES.includes(event.cause) && event.holders.includes(FLEET_LEASE)) {
      this.options.emit({ type: 'fleet-turn', result: 'without_turn', detail: 'the update is forced' });
    }
    if (event.type === 'update-requested') this.#triesLater ||= event.result !== 'accepted';
    if (event.type !== 'fleet-changed') this.#lookSoon();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    this.#stopAttending?.();
    this.#stopWatching?.();
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.#look();
    });
  }

  #look(): void {
    const { supervisor, isSilent } = this.options.updates.status;
    this.#silence.look(supervisor === 'reachable' && !isSilent);
    this.#become(afterLook(this.#state, this.#facts(), this.options.settings));
  }

  #facts(): FleetFacts {
    const { clock, boot, keeper, policies, updates, versions, deadline } = this.options;
    const { supervisor, waiting, isRebootNear } = updates.status;
    const others = keeper.leases().filter(({ name }) => name !== FLEET_LEASE);
    return {
      nowMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
      boot,
      waiting: waiting.map(({ what }) => what),
      ...versions(),
      isRebootNear,
      isKnown: supervisor === 'reachable' || waiting.length > 0,
      // Where the deadline has passed, the apps are drained once there is a turn.
      isBlocked: others.some(({ name }) => deadline?.isDue !== true || policies.of(name).survivesDrain),
      isUpdating: keeper.isUpdating,
      isAllowed: this.#isAllowed,
      isDraining: deadline?.isDraining ?? false,
      triesLater: this.#triesLater,
    };
  }

  /** What is remembered comes first, and the lock is free only after that: a turn that nobody remembers is never given back. */
  #become(state: FleetState): void {
    if (this.#isClosed) return;
    const { holder, updates } = this.options;
    const was = this.#state;
    this.#state = state;
    if (state.memory !== was.memory) holder.remember(state.memory);
    if (holdsLock(state, { isAllowed: this.#isAllowed })) holder.hold(state.phase.kind === 'asking' ? this.#detail : '');
    else holder.letGo();
    // Nobody else asks while the lock is free.
    if (this.problem !== null) this.#stopWatching ??= updates.attendReleases();
    else this.#stopWatching = stopped(this.#stopWatching);
    if (state.phase.kind === 'turn') {
      this.#stopAttending ??= updates.attend();
      if (was.phase.kind !== 'turn') this.#beginTurn(state.phase.isGiven);
      this.#askForCloud(state.phase.sinceMs);
    } else {
      this.#endTurn(was, state);
    }
    this.#tell(was);
    this.#request();
    this.#readDevice();
    this.#schedule();
  }

  #beginTurn(isGiven: boolean): void {
    this.#triesLater = this.#hasAskedCloud = false;
    if (!isGiven) this.options.emit({ type: 'fleet-turn', result: 'without_turn', detail: 'the server of the fleet has not answered for too long' });
  }

  /** The Supervisor says nothing of it when it cannot ask the cloud, and so tries at its own time. */
  #askForCloud(sinceMs: number): void {
    const { clock, isOnline } = this.options;
    if (this.#hasAskedCloud || clock.monotonicMs() - sinceMs < ASKS_CLOUD_AFTER_MS) return;
    this.#hasAskedCloud = true;
    void isOnline().then((is) => { this.#triesLater ||= !is; });
  }

  #endTurn(was: FleetState, { idleTurns }: FleetState): void {
    this.#stopAttending = stopped(this.#stopAttending);
    if (idleTurns > was.idleTurns) this.options.emit({ type: 'fleet-turn', result: 'nothing_began', detail: 'no update and no reboot has begun in the turn' });
  }

  #tell(was: FleetState): void {
    const name = this.#name;
    if (name === this.#shown && was.phase.kind === this.#state.phase.kind) return;
    this.#shown = name;
    this.#sinceMs = this.options.clock.monotonicMs();
    this.options.emit({ type: 'fleet-changed', state: name, detail: this.#detail });
  }

  /** A turn is given back only while the lock is held, or free for another turn. */
  #request(): void {
    const { phase } = this.#state;
    const isInTurn = phase.kind === 'settling' || (phase.kind === 'turn' && phase.isGiven);
    const due = this.#requests.due(this.#state, this.options.holder.isHeld || isInTurn || this.#isAllowed);
    if (due?.kind === 'ask') void this.#ask(due.names);
    if (due?.kind === 'give back') void this.#giveBack(due.names);
  }

  async #ask(names: FleetNames): Promise<void> {
    this.#state = whileAsked(this.#state);
    this.#hear(await this.#requests.ask(names));
  }

  async #giveBack(names: FleetNames): Promise<void> {
    const { problem, hasAnswered } = await this.#requests.giveBack(names);
    const isAskedFor = this.#state.phase.kind === 'asking' && areSameNames(names, this.options.settings.names);
    if (problem === null) this.#become(afterReturn(this.#state, names));
    else if (isAskedFor) this.#hear({ kind: hasAnswered ? 'unclear' : 'none', detail: problem, retryAfterMs: null });
    this.#lookSoon();
  }

  #hear(answer: TurnAnswer): void {
    const { settings, random } = this.options;
    this.#become(afterAnswer(this.#state, answer, this.#facts(), settings, random()));
    this.#lookSoon();
  }

  #readDevice(): void {
    const { clock, read, settings } = this.options;
    const apartMs = Math.min(READ_EVERY_MS, settings.settleMs);
    if (this.#state.phase.kind !== 'settling' || this.#isReading || clock.monotonicMs() - this.#readAtMs < apartMs) return;
    this.#isReading = true;
    this.#readAtMs = clock.monotonicMs();
    void read().then((reading) => {
      this.#isReading = false;
      this.#become(afterReading(this.#state, reading, this.#facts()));
      this.#lookSoon();
    });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { clock, settings } = this.options;
    const { phase } = this.#state;
    const nowMs = clock.monotonicMs();
    const dueAtMs = [this.#requests.saysSteadyAtMs, this.#requests.nextReturnAtMs, this.#silence.endsAtMs, ...timesOf(phase)];
    if (phase.kind === 'turn' || phase.kind === 'settling') dueAtMs.push(nowMs + Math.min(LOOK_EVERY_MS, Math.max(settings.settleMs, 1000)));
    // What is due already waits for something that is an event.
    const atMs = Math.min(...dueAtMs.filter((each) => each > nowMs));
    if (atMs === Infinity) return;
    this.#timer = setTimeout(() => { this.#look(); }, Math.ceil(atMs - nowMs)).unref();
  }
}

/** Stops what has been started, if anything was. */
function stopped(stop: (() => void) | null): null {
  stop?.();
  return null;
}
