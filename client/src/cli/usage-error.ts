/** The command line is wrong; nobody has been asked anything. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  /** @param command whose help says more */
  constructor(
    message: string,
    readonly command?: string,
  ) {
    super(message);
  }
}
