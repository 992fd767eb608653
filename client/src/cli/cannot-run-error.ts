/** COMMAND could not be started; `exit` is the status that a shell would report. */
export class CannotRunError extends Error {
  override readonly name = 'CannotRunError';

  constructor(
    message: string,
    readonly exit: number,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}
