import { isSupervisors } from './keeper/status';
import type { Listener } from './event-feed';
import { Deadline } from './gates/deadline';
import type { UpdateSource } from './http/views';
import { WINDOW_LEASE } from './leases/lease';
import { NOT_WAITED, type Waited } from './leases/waited';
import type { ServiceParts } from './service';
import type { ByHandResult, LockState, UpdateRequest } from './supervisor/update-requests';
import { NOT_CONFIGURED } from './supervisor/update-status';
import { Updates } from './supervisor/updates';
import { Waiters } from './supervisor/waiters';

export interface UpdateService extends UpdateSource {
  /**
   * Calls back once an update is pending, or at the end of the wait; never before it has returned.
   * @returns stops waiting: then nothing is called back
   */
  readonly whenPending: (waitMs: number, onAnswer: () => void) => () => void;
  /** Asks for an update because somebody wants one. */
  readonly request: (request: UpdateRequest) => Promise<ByHandResult>;
  readonly onEvent: Listener;
  /** To be called when something has happened in the lock directory. */
  onLook(): void;
  close(): Promise<void>;
}

const NO_API = "its API is not configured; the service needs the label io.balena.features.supervisor-api: '1'";

/** Ties what the Supervisor says to the lock, and the deadline to both. */
export function connectUpdates({ config, clock, keeper, gates, feed, watch }: ServiceParts): UpdateService {
  const { emit } = feed;
  const refuse = ({ peer }: UpdateRequest, problem: string): ByHandResult => {
    emit({ type: 'update-refused', peer, problem });
    return { ok: false, problem };
  };
  if (config.supervisor === null) return withoutSupervisor((by) => Promise.resolve(refuse(by, NO_API)));
  const lock: LockState = {
    isHeld: () => keeper.heldSinceMs !== null,
    isSupervisors: () => isSupervisors(keeper.status()),
    holders: () => keeper.leases().map(({ name }) => name),
  };
  const note = keeper.updateNote ?? { waitsSinceMs: null, waited: NOT_WAITED };
  const updates = new Updates({
    address: config.supervisor,
    pollMs: config.supervisorPollMs,
    clock,
    random: Math.random,
    waitsSinceMs: note.waitsSinceMs,
    lock,
    emit,
  });
  let waited = afterRestart(note.waited, clock.monotonicMs() + config.restartGraceMs);
  const remember = (): void => {
    const { waitsSinceMs } = updates.status;
    keeper.recordUpdate(waitsSinceMs === null && waited === NOT_WAITED ? null : { waitsSinceMs, waited });
  };

  const deadline =
    config.deadlineMs === null
      ? null
      : new Deadline({
          clock,
          deadlineMs: config.deadlineMs,
          graceMs: config.deadlineGraceMs,
          waited,
          remember: (now) => {
            waited = now;
            remember();
          },
          holders: () => lock.holders(),
          drain: () => {
            for (const { name } of keeper.leases()) if (name !== WINDOW_LEASE) keeper.end(name, 'drained');
          },
          emit,
        });
  if (deadline !== null) gates.push(deadline.gate);
  let stopAttending: (() => void) | null = deadline?.isDraining === true ? updates.attend() : null;

  const observe = (): void => {
    const leases = keeper.leases();
    deadline?.observe({
      waits: updates.status.waitsSinceMs !== null,
      holdsForApps: leases.some(({ name }) => name !== WINDOW_LEASE),
      isWindowClosed: leases.some(({ name }) => name === WINDOW_LEASE),
    });
  };
  // Many leases may come and go while one update waits.
  let isObserving = false;
  const observeSoon = (): void => {
    if (deadline === null || isObserving) return;
    isObserving = true;
    setImmediate(() => {
      isObserving = false;
      observe();
    });
  };

  updates.start();
  // Nobody may have told a former process any more that the last lease had ended.
  observe();
  return {
    whenPending: (waitMs, onAnswer) => updates.whenPending(waitMs, onAnswer),
    request: async (by) => {
      const result = await updates.request(by);
      return result.ok ? result : refuse(by, result.problem);
    },
    get status() { return updates.status; },
    get known() { return updates.known; },
    get deadlineAtMs() { return deadline?.atMs ?? null; },
    get isDraining() { return deadline?.isDraining ?? false; },
    onEvent: (event) => {
      switch (event.type) {
        case 'lease-acquired':
          updates.onLock(true, false);
          observeSoon();
          return;
        case 'lease-ended':
          if (event.lock !== 'held') updates.onLock(false, event.lock === 'lost');
          observeSoon();
          return;
        case 'update-changed':
          if (event.status.waitsSinceMs !== (keeper.updateNote?.waitsSinceMs ?? null)) remember();
          observe();
          updates.onChange();
          return;
        case 'draining':
          stopAttending ??= updates.attend();
          return;
        case 'drained':
          stopAttending?.();
          stopAttending = null;
          // Who waits for the gate is let in.
          watch.lookSoon();
          return;
        default:
      }
    },
    onLook: () => { updates.onLook(); },
    close: () => {
      deadline?.close();
      return updates.close();
    },
  };
}

/** Without the Supervisor's API everything else works as before: nothing is ever known to wait, which takes as long to say. */
function withoutSupervisor(request: UpdateService['request']): UpdateService {
  const waiters = new Waiters();
  return {
    status: NOT_CONFIGURED,
    known: null,
    deadlineAtMs: null,
    isDraining: false,
    whenPending: (waitMs, onAnswer) => waiters.add(waitMs, onAnswer).leave,
    request,
    onEvent: () => undefined,
    onLook: () => undefined,
    close: () => {
      waiters.answerAll();
      return Promise.resolve();
    },
  };
}

/** Whoever could not be reached by a sidecar that was away has the restart grace at least. */
function afterRestart(waited: Waited, graceEndsAtMs: number): Waited {
  if (waited.drainEndsAtMs === null) return waited;
  return { ...waited, drainEndsAtMs: Math.max(waited.drainEndsAtMs, graceEndsAtMs) };
}
