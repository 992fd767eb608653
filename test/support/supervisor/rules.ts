/** In what the versions differ. Paths are inside balena-os/balena-supervisor, unless said otherwise. */
export interface Rules {
  /**
   * Whether `cancel` in `POST /v1/update`, and a new target, end the running attempt, its back-off or download included.
   * From v17.1.0 (`src/device-state/index.ts` `triggerApplyTarget`; from v17.5.0 `src/device-state/exclusive-runner.ts`).
   */
  readonly knowsCancel: boolean;
  /**
   * Whether any call of `POST /v1/update` ends a back-off: `cancelDelay`, until v17.5.0. From then on a call without
   * `cancel` waits until the running attempt has succeeded or is cancelled: a back-off that ends goes on with the
   * attempt it belongs to, and with that one's `force`.
   */
  readonly callsEndBackOff: boolean;
  /** Whether Helios stands in front, with locks and answers of its own. */
  readonly isHelios: boolean;
}

/** `helios`, or a version of the Supervisor such as `17.2.0`; `19.x` will do. */
export function rulesOf(version: string): Rules {
  if (version === 'helios') return { knowsCancel: true, callsEndBackOff: false, isHelios: true };
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const isFrom = (fromMinor: number): boolean => major > 17 || (major === 17 && minor >= fromMinor);
  return { knowsCancel: isFrom(1), callsEndBackOff: !isFrom(5), isHelios: false };
}
