import { editDistance } from './edit-distance';
import type { Environment } from './forms';
import { messageOf } from '../text';

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly mistakes: readonly string[] };

/** So many characters of a name may be mistyped if the name that was meant is to be told. */
const MAX_TYPOS = 2;

/** Reads settings by name. It goes on after a mistake, so that all mistakes can be reported together. */
export class SettingsReader<Variable> {
  readonly mistakes: string[] = [];
  readonly warnings: string[] = [];
  readonly names = new Set<string>();
  readonly wrongNames = new Set<string>();

  /** @param variable the variable of that name, as env-var reads it */
  constructor(
    private readonly environment: Environment,
    private readonly variable: (name: string) => Variable,
  ) {}

  isSet(name: string): boolean {
    return (this.environment[name] ?? '') !== '';
  }

  /** The setting, or its default if it is not set or wrong. A wrong one is added to the mistakes. */
  read<T, D>(name: string, get: (variable: Variable) => T | undefined, defaultValue: D): T | D {
    this.names.add(name);
    if (!this.isSet(name)) return defaultValue;
    try {
      return get(this.variable(name)) ?? defaultValue;
    } catch (error) {
      const allowed = messageOf(error).replace(/^env-var: "[^"]*" /, '');
      this.wrongNames.add(name);
      this.mistakes.push(`${name}: ${JSON.stringify(this.environment[name])} ${allowed}`);
      return defaultValue;
    }
  }

  /** The same for a setting that can be turned off: null if it is. */
  readUnlessOff<T, D>(name: string, get: (variable: Variable) => T | 'off' | undefined, defaultValue: D): T | D | null {
    const value = this.read(name, get, defaultValue);
    return value === 'off' ? null : value;
  }

  /** The same for a setting whose parser finds all mistakes in it. Its messages must not repeat secrets. */
  readParsed<T>(name: string, parse: (text: string) => Parsed<T>, defaultValue: T): T {
    this.names.add(name);
    const text = this.environment[name] ?? '';
    if (text === '') return defaultValue;
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    this.mistakes.push(...parsed.mistakes.map((mistake) => `${name}: ${mistake}`));
    return defaultValue;
  }

  /**
   * Warns of variables that look like settings and are none: probably mistakes. To be called once all settings have been read.
   * @param prefix of the names of all settings
   * @param others names with that prefix that are for somebody else
   */
  warnOfUnknown(prefix: string, others: readonly string[] = []): void {
    for (const name of Object.keys(this.environment)) {
      if (!name.startsWith(prefix) || this.names.has(name) || others.includes(name)) continue;
      const nearest = [...this.names].map((known) => ({ known, typos: editDistance(name, known) })).sort((a, b) => a.typos - b.typos)[0];
      const question = nearest === undefined || nearest.typos > MAX_TYPOS ? '' : `; did you mean ${nearest.known}?`;
      this.warnings.push(`${name} is not a setting of this version and has no effect${question}`);
    }
  }

  /** A token. Its value is never repeated; an empty one is a mistake, since somebody meant to set it. */
  readToken(name: string): string | null {
    this.names.add(name);
    const token = this.environment[name];
    if (token === undefined) return null;
    if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
      const wrong = token === '' ? 'is empty' : 'is not a token';
      this.mistakes.push(`${name}: its value ${wrong}; 1 to 512 visible ASCII characters, no spaces, are allowed`);
    }
    return token;
  }
}
