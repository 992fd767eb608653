/** The options that were given, by name; flags are `true`. */
export type Options = Readonly<Record<string, string | true>>;

/** The value of an option that has one. */
export function textOf(option: string | true | undefined): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

/** For what asks the sidecar. */
export function urlOf({ url }: Options): { url?: string } {
  return typeof url === 'string' ? { url } : {};
}
