import type { FleetStateName, SidecarEvent } from '../../events/event';
import { afterAnswer, afterReturn, whileAsked } from './fleet-answers';
import { FleetRequests } from './fleet-requests';
import { FLEET_LEASE } from './fleet-holder';
import type { FleetNames } from './fleet-memory';
import type { FleetOptions } from './fleet-options';
import { detailOf, nameOf, type FleetStatus } from './fleet-status';
import { afterLook, afterReading, holdsLock, resumed, STANDS_FOR_MS, type FleetFacts, type FleetState } from './fleet-state';

/** Between two readings while a device settles, in milliseconds; less where it settles in a shorter time. */
const READ_EVERY_MS = 10_000;

/** In a turn, and while the device settles, what is due is looked for this often. Milliseconds. */
const LOOK_EVERY_MS = 5000;

/** Asks a server of the fleet for a turn when everything else allows an update, and gives the turn back when the device is well again. */
export class Fleet {
  #state: FleetState;
  #shown: FleetStateName = 'idle';
  #sinceMs: number;
  #triesLater = false;
  readonly #requests: FleetRequests;
  #readAtMs = -Infinity;
  #isReading = false;
  #stopAttending: (() => void) | null = null;
  #soon: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: FleetOptions) {
    const { clock, holder, boot } = options;
    const nowMs = clock.monotonicMs();
    this.#state = resumed(holder.memory, { nowMs, boot });
    this.#sinceMs = nowMs;
    this.#requests = new FleetRequests(options);
    if (this.#state.memory !== holder.memory) holder.remember(this.#state.memory);
    this.#lookSoon();
  }

  /** Whether the lock is free for an update, as far as the fleet goes. */
  get hasTurn(): boolean {
    return !holdsLock(this.#state, { isAllowed: this.options.allowances.current() !== null });
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
    return detailOf(this.#state, this.options.allowances.current() !== null);
  }

  onEvent(event: SidecarEvent): void {
    if (event.type === 'stopping') this.close();
    if (event.type === 'update-requested') this.#triesLater = event.result !== 'accepted';
    if (event.type !== 'fleet-changed') this.#lookSoon();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    this.#stopAttending?.();
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.#look();
    });
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#become(afterLook(this.#state, this.#facts(), this.options.settings));
  }

  #facts(): FleetFacts {
    const { clock, boot, keeper, policies, allowances, updates, target, deadline } = this.options;
    const { supervisor, waiting, isRebootNear } = updates.status;
    const others = keeper.leases().filter(({ name }) => name !== FLEET_LEASE);
    return {
      nowMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
      boot,
      waiting: waiting.map(({ what }) => what),
      target: target(),
      isRebootNear,
      isKnown: supervisor === 'reachable' || waiting.length > 0,
      // Where the deadline has passed, the apps are drained once there is a turn.
      isBlocked: others.some(({ name }) => deadline?.isDue !== true || policies.of(name).survivesDrain),
      isUpdating: keeper.isUpdating,
      isAllowed: allowances.current() !== null,
      isDraining: deadline?.isDraining ?? false,
      triesLater: this.#triesLater,
    };
  }

  /** What is remembered comes first, and the lock is free only after that: a turn that nobody remembers is never given back. */
  #become(state: FleetState): void {
    const { holder, allowances } = this.options;
    const was = this.#state;
    this.#state = state;
    if (state.memory !== was.memory) holder.remember(state.memory);
    if (holdsLock(state, { isAllowed: allowances.current() !== null })) holder.hold(state.phase.kind === 'asking' ? this.#detail : '');
    else holder.letGo();
    if (state.phase.kind === 'turn') {
      this.#stopAttending ??= this.options.updates.attend();
      if (was.phase.kind !== 'turn') this.#beginTurn(state.phase.isGiven);
    } else {
      this.#endTurn(was, state);
    }
    this.#tell(was);
    this.#request();
    this.#readDevice();
    this.#schedule();
  }

  #beginTurn(isGiven: boolean): void {
    this.#triesLater = false;
    if (!isGiven) this.options.emit({ type: 'fleet-turn', result: 'without_turn', detail: 'the server of the fleet has not answered for too long' });
  }

  #endTurn(was: FleetState, { idleTurns }: FleetState): void {
    this.#stopAttending?.();
    this.#stopAttending = null;
    if (idleTurns > was.idleTurns) this.options.emit({ type: 'fleet-turn', result: 'nothing_began', detail: 'no update and no reboot has begun in the turn' });
  }

  #tell(was: FleetState): void {
    const name = this.#name;
    if (name === this.#shown && was.phase.kind === this.#state.phase.kind) return;
    this.#shown = name;
    this.#sinceMs = this.options.clock.monotonicMs();
    this.options.emit({ type: 'fleet-changed', state: name, detail: this.#detail });
  }

  /** A turn is asked for if that is due; else one is given back, but only while the lock is held, or free for another turn. */
  #request(): void {
    const { clock, allowances, holder, settings } = this.options;
    const { phase, memory } = this.#state;
    if (this.#requests.isBusy || this.#isClosed) return;
    const nowMs = clock.monotonicMs();
    if (phase.kind === 'asking') {
      if (nowMs >= phase.nextAskAtMs && memory.asked !== null) void this.#ask(memory.asked);
      return;
    }
    const hasTurn = phase.kind === 'settling' || (phase.kind === 'turn' && phase.isGiven);
    if (!holder.isHeld && !hasTurn && allowances.current() === null) return;
    const names = this.#requests.dueReturn(memory.toReturn);
    const saysSteady = phase.kind === 'idle' && memory.asked === null && nowMs >= this.#requests.saysSteadyAtMs;
    if (names !== undefined) void this.#giveBack(names);
    else if (saysSteady) void this.#giveBack(settings.names);
  }

  async #ask(names: FleetNames): Promise<void> {
    const { settings, random } = this.options;
    this.#state = whileAsked(this.#state);
    const answer = await this.#requests.ask(names);
    if (this.#isClosed) return;
    this.#become(afterAnswer(this.#state, answer, this.#facts(), settings, random()));
    this.#lookSoon();
  }

  async #giveBack(names: FleetNames): Promise<void> {
    const isDone = await this.#requests.giveBack(names);
    if (this.#isClosed) return;
    this.#become(isDone ? afterReturn(this.#state, names) : this.#state);
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
      if (this.#isClosed) return;
      this.#become(afterReading(this.#state, reading, clock.monotonicMs()));
      this.#lookSoon();
    });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const { clock, settings } = this.options;
    const { phase } = this.#state;
    const nowMs = clock.monotonicMs();
    const dueAtMs = [this.#requests.saysSteadyAtMs, this.#requests.nextReturnAtMs];
    if (phase.kind === 'idle') dueAtMs.push(phase.asksFromMs);
    if (phase.kind === 'asking') dueAtMs.push(phase.nextAskAtMs, phase.goesOnAtMs ?? Infinity);
    if (phase.kind === 'turn' || phase.kind === 'settling') dueAtMs.push(nowMs + Math.min(LOOK_EVERY_MS, Math.max(settings.settleMs, 1000)));
    if (phase.kind === 'turn' && phase.fileSinceMs !== null) dueAtMs.push(phase.fileSinceMs + STANDS_FOR_MS);
    // What is due already waits for something that is an event.
    const atMs = Math.min(...dueAtMs.filter((each) => each > nowMs));
    if (atMs === Infinity) return;
    this.#timer = setTimeout(() => { this.#look(); }, Math.ceil(atMs - nowMs)).unref();
  }
}
