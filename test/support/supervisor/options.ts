export interface StandInOptions {
  /** The lock directory of each service of the app: the sidecar's, and those of others. */
  readonly lockDirectories: readonly string[];
  /** `helios`, or a version of the Supervisor; 19.0.5 if not given. */
  readonly version?: string;
  /**
   * With Helios in front of this Supervisor, as it is published today: it answers `POST /v1/update` and passes the rest on,
   * while the Supervisor still looks after apps and their locks.
   */
  readonly behindHelios?: boolean;
  /**
   * For `helios`: whether what it does shows in `GET /v1/device`. That comes from the Supervisor behind it, which as of
   * v0.26.2 knows nothing of an update that Helios itself applies; it does unless this is false.
   */
  readonly showsUpdates?: boolean;
  /** For `helios`: without a Supervisor behind it. */
  readonly isAlone?: boolean;
  readonly apiKey?: string;
  /** `BALENA_SUPERVISOR_INSTANT_UPDATE_TRIGGER`. */
  readonly instantUpdates?: boolean;
  /** `BALENA_SUPERVISOR_POLL_INTERVAL`, without the up to 60 s that the real one adds at random. */
  readonly pollIntervalMs?: number;
  readonly heliosRetryMs?: number;
  /** How long containers take to be replaced; until `settle()` if not given. */
  readonly replacesForMs?: number;
  /** How long the cloud takes to answer. */
  readonly cloudDelayMs?: number;
}

export interface PushOptions {
  /**
   * `image` (the default) is a new one; `older image` goes back to one with a lower number, which is downloaded too;
   * `variables` is a change of environment variables: a new target, nothing to download.
   */
  readonly change?: 'image' | 'older image' | 'variables';
  /** Keeps the download from ending before `finishDownload()`. */
  readonly holdDownload?: boolean;
  /** Whether the cloud tells the device at once, as it does over the VPN, or the device finds out when it polls. */
  readonly notify?: boolean;
}
