/** The options that were given, by name; flags are `true`. */
export type Options = Readonly<Record<string, string | true>>;

/** The value of an option that has one. */
export function textOf(option: string | true | undefined): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

/** Only those that were given, as the client wants them. */
export function given<K extends string>(options: Options, ...names: readonly K[]): { [name in K]?: string } {
  const result: { [name in K]?: string } = {};
  for (const name of names) {
    const value = textOf(options[name]);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

export function urlOf(options: Options): { url?: string } {
  return given(options, 'url');
}
