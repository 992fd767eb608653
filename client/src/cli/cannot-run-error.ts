/** COMMAND could not be started; `exit` is what a shell would say. */
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
