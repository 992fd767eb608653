/** The command line is wrong; no request was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  /** @param command the command whose help says more */
  constructor(
    message: string,
    readonly command?: string,
  ) {
    super(message);
  }
}
