import type { Request, Response } from 'express';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Device, type Target } from './device';
import { deviceApi, type Mood } from './device-api';
import { applicationsState, deviceState, stateStatus } from './device-state';
import { HeliosLocks } from './helios-locks';
import { HostJournal } from './host-journal';
import { History, type Happening, type Recorded } from './history';
import { SupervisorLocks } from './locks';
import { OneAtATime } from './one-at-a-time';
import type { PushOptions, StandInOptions } from './options';
import { rulesOf, type Rules } from './rules';

/** How long a start takes at most, in milliseconds. */
const STARTS_WITHIN_MS = 1500;

/**
 * A stand-in of the balena Supervisor, or of Helios in front of it, that tests start in their own process. It takes the
 * locks in real directories by the real programs; the cloud and the containers are told what to do by the test:
 *
 *     const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], version: '17.4.0' });
 *     const sidecar = await Sidecar.start({ folder, environment: supervisor.environment });
 *     await supervisor.pushRelease();                    // its first attempt is under way
 *     await supervisor.history.next('back-off');         // the lock has refused it
 *     await supervisor.settle();                         // waits until the lock is its own, and the update is done
 *     supervisor.requests('/v1/update');                 // what it was asked, and when
 *     afterEach(() => StandInSupervisor.cleanUp());
 */
export class StandInSupervisor {
  static readonly #all = new Set<StandInSupervisor>();

  readonly version: string;
  readonly rules: Rules;
  readonly history = new History();
  readonly device: Device;
  readonly journal = new HostJournal();
  /** May be changed, as by `POST /v1/regenerate-api-key`. */
  apiKey: string;
  /** The device's name, as the cloud has told it last. */
  name = 'holy-wildflower';
  /** The device's tags in the cloud, of our app or not. */
  tags: Readonly<Record<string, string>> = {};
  instantUpdates: boolean;
  readonly #runner: OneAtATime;
  readonly #cloudDelayMs: number;
  readonly #isHeliosInFront: boolean;
  readonly #showsUpdates: boolean;
  readonly #isAlone: boolean;
  readonly #moods = new Map<string, Mood>();
  readonly #pollTimer: NodeJS.Timeout;
  #cloudTarget: Target;
  #isOnline = true;
  #isChecking = false;
  #isStarting = false;
  #server: Server | undefined;
  #port = 0;

  private constructor(options: StandInOptions) {
    this.version = options.version ?? '19.0.5';
    this.rules = rulesOf(this.version);
    this.apiKey = options.apiKey ?? 'd3v1ceKey';
    this.instantUpdates = options.instantUpdates ?? true;
    this.#isHeliosInFront = this.rules.isHelios || options.behindHelios === true;
    this.#showsUpdates = options.showsUpdates ?? true;
    this.#isAlone = options.isAlone ?? false;
    this.#cloudDelayMs = options.cloudDelayMs ?? 0;
    const pollIntervalMs = options.pollIntervalMs ?? 900_000;
    this.device = new Device({ commit: commitOf(100), imageId: 100 }, {
      rules: this.rules,
      locks: new (this.rules.isHelios ? HeliosLocks : SupervisorLocks)(options.lockDirectories),
      history: this.history,
      pollIntervalMs,
      heliosRetryMs: options.heliosRetryMs ?? 30_000,
      replacesForMs: options.replacesForMs,
    });
    this.#cloudTarget = this.device.target;
    this.#runner = new OneAtATime(this.rules, (attempt) => this.device.apply(attempt));
    this.#pollTimer = setInterval(() => void this.poll(), pollIntervalMs).unref();
    StandInSupervisor.#all.add(this);
  }

  static async start(options: StandInOptions): Promise<StandInSupervisor> {
    const supervisor = new StandInSupervisor(options);
    await supervisor.listen();
    return supervisor;
  }

  static async cleanUp(): Promise<void> {
    for (const supervisor of StandInSupervisor.#all) {
      clearInterval(supervisor.#pollTimer);
      supervisor.#runner.stop();
      await supervisor.stopListening();
      await supervisor.device.options.locks.release();
      supervisor.journal.remove();
    }
    StandInSupervisor.#all.clear();
  }

  // Its API

  get address(): string {
    return `http://127.0.0.1:${String((this.#server?.address() as AddressInfo).port)}`;
  }

  /** What it gives to a service with the label `io.balena.features.supervisor-api`. */
  get environment(): Readonly<Record<string, string>> {
    return { BALENA_SUPERVISOR_ADDRESS: this.address, BALENA_SUPERVISOR_API_KEY: this.apiKey };
  }

  /** On any free port, unless one is given. */
  async listen(port = 0): Promise<void> {
    const idle = new Device(this.device.current.release, this.device.options);
    const shown = this.#showsUpdates ? this.device : idle;
    const isApplying = (): boolean => this.#showsUpdates && this.isApplying;
    const answers = {
      apiKey: () => this.apiKey,
      isHelios: this.#isHeliosInFront,
      isAlone: this.#isAlone,
      isDownloading: () => this.device.downloadProgress !== null,
      device: () => deviceState(shown, this.version, isApplying(), this.#isChecking),
      name: () => this.name,
      tags: () => (this.#isOnline ? this.tags : null),
      status: () => stateStatus(shown, isApplying()),
      journal: (request: Request, response: Response) => { this.journal.answer(request, response); },
      applications: () => applicationsState(this.device),
      update: (force: boolean, cancel: boolean) => this.#update(force, cancel),
    };
    const server = createServer(deviceApi(answers, this.history, (path) => this.#moods.get(path) ?? this.#moods.get('*')));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  }

  /** Nobody listens any more, as while it is restarted. What it is applying goes on. */
  async stopListening(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** As by SIGKILL: what it was applying stays as it is, and so do its lock files. */
  async kill(): Promise<void> {
    this.#port = Number(new URL(this.address).port);
    this.#runner.stop();
    await this.stopListening();
  }

  /**
   * Starts after {@link kill}. At first it denies that anything is pending: until somebody has asked, which nobody does while its lock is there.
   * Then it applies its target, also without the cloud.
   */
  async startAgain(): Promise<void> {
    Object.assign(this.device, { failures: 0, pending: false, failed: false, downloaded: false });
    const isOver = this.startApplying();
    const before = this.history.all.length;
    await this.listen(this.#port);
    await Promise.race([this.history.next('request', ({ path }) => path === '/v1/device', before), sleep(STARTS_WITHIN_MS)]);
    isOver();
    this.#runner.trigger({ force: false, cancel: true, fromApi: false });
  }

  /** To all requests, or to those for one path, until told otherwise; undefined is as usual. */
  answerWith(mood: Mood | undefined, path = '*'): void {
    if (mood === undefined) this.#moods.delete(path);
    else this.#moods.set(path, mood);
  }

  /** The requests it has got, all or those for a path. */
  requests(path?: string): Recorded<Extract<Happening, { kind: 'request' }>>[] {
    return this.history.of('request').filter((request) => path === undefined || request.path === path);
  }

  // The cloud

  /** A new target state, in time for whoever awaits this to have been fetched, if it is told of. */
  async pushRelease({ change = 'image', holdDownload = false, notify = true }: PushOptions = {}): Promise<string> {
    const { imageId } = this.#cloudTarget.release;
    const next = { image: imageId + 1, 'older image': imageId - 1, variables: imageId }[change];
    const release = { commit: commitOf(next), imageId: next };
    if (holdDownload) this.device.holdsDownload = true;
    await this.#setCloudTarget({ ...this.#cloudTarget, release }, notify);
    return release.commit;
  }

  /** The dashboard's toggle, that is `BALENA_SUPERVISOR_OVERRIDE_LOCK`. */
  async overrideLock(overrideLock: boolean, notify = true): Promise<void> {
    await this.#setCloudTarget({ ...this.#cloudTarget, overrideLock }, notify);
  }

  /** One poll, now. */
  async poll(): Promise<void> {
    await this.#fetchTarget({ force: false, cancel: false, fromApi: false }).catch(() => undefined);
  }

  goOffline(): void {
    this.#isOnline = false;
  }

  goOnline(): void {
    this.#isOnline = true;
  }

  async #setCloudTarget(target: Target, notify: boolean): Promise<void> {
    this.#cloudTarget = target;
    if (notify && this.instantUpdates) await this.#fetchTarget({ force: false, cancel: false, fromApi: true }).catch(() => undefined);
  }

  /** `update` and `emitTargetState` of balena-supervisor v19.0.5 `src/api-binder/poll.ts`: the cloud is always asked first. */
  async #fetchTarget(call: { force: boolean; cancel: boolean; fromApi: boolean }): Promise<void> {
    if (this.#cloudDelayMs > 0) await sleep(this.#cloudDelayMs, undefined, { ref: false });
    if (!this.#isOnline) throw new Error('Target state poll failed');
    if (this.#cloudTarget !== this.device.target) {
      this.device.setTarget(this.#cloudTarget);
      this.#runner.trigger({ ...call, cancel: true });
    } else if (call.fromApi) {
      this.#runner.trigger(call);
    }
  }

  /**
   * `updateTarget` of `src/device-api/actions.ts`: nobody waits for what comes of it. Helios itself knows no setting to
   * ignore it by. In front of a Supervisor that is applying, it keeps a call without `cancel` to itself until that has
   * settled (helios `helios-state/src/seek.rs`), and makes the same call of the others (`helios-legacy/src/state.rs`).
   */
  #update(force: boolean, cancel: boolean): boolean {
    if (!this.rules.isHelios) {
      if (this.#isHeliosInFront && this.isApplying && !cancel) return true;
      if (!force && !this.instantUpdates) return false;
    }
    void this.#fetchTarget({ force, cancel, fromApi: true }).catch(() => undefined);
    return true;
  }

  // The device

  /** `appState` is `applying`, and no commit is shown: backing off is part of it. */
  get isApplying(): boolean {
    return this.#runner.isRunning || this.#isChecking || this.#isStarting;
  }

  /** Once the locks are held and containers are being replaced. */
  async replacing(): Promise<void> {
    while (!this.device.isReplacing) await this.history.next('replacing', () => true, this.history.all.length);
  }

  /** Lets the update that is being applied, or the next one, come to its end; once the locks are gone. */
  async settle(): Promise<void> {
    await this.replacing();
    const before = this.history.all.length;
    this.device.settle();
    await this.history.next('applied', () => true, before);
  }

  /**
   * Looks for updates without there being one: `update_pending` is true until the function is called that this returns
   * (balena-supervisor `docs/API.md`, `GET /v1/device`).
   */
  check(): () => void {
    this.#isChecking = true;
    return () => {
      this.#isChecking = false;
    };
  }

  /**
   * Has just started and applies its target, but has not compared the containers with it yet, so that nothing is pending, until the
   * function is called that this returns (balena-supervisor `src/device-state/index.ts`, `loadInitialState`).
   */
  startApplying(): () => void {
    this.#isStarting = true;
    return () => {
      this.#isStarting = false;
    };
  }
}

function commitOf(imageId: number): string {
  return imageId.toString(16).padStart(32, '0');
}
