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
