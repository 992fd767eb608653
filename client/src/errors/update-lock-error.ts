/** What all errors of this client are; itself for what has no class of its own, like a bug in the sidecar (`internal`). */
export class UpdateLockError extends Error {
  override name = 'UpdateLockError';

  /** @param code the problem's code as the sidecar has it, or the one that the class says */
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Nothing can be known of updates. */
export function notConfiguredError(): UpdateLockError {
  const why = 'The sidecar has no Supervisor to ask about updates: its service needs the label io.balena.features.supervisor-api';
  return new UpdateLockError(why, 'not-configured');
}
