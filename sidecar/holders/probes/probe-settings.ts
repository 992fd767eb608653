import { DURATION_FORMS, formatDuration, parseDuration, secondsToMs } from '../../../server/duration';
import { messageOf } from '../../../server/text';
import { NAME_PATTERN } from '../../leases/lease';
import type { LeasePolicy } from '../../leases/policies';
import { EXPRESSION_FORM, parseExpression } from './expression';

export type OnError = 'keep' | 'hold' | 'release';

/** One URL that is asked whether the lock is to be held. Lengths of time are in milliseconds. */
export interface ProbeSettings {
  readonly name: string;
  /** Without user and password. */
  readonly url: URL;
  /** The value of the header, from user and password in the URL; null without them. Never shown. */
  readonly authorization: string | null;
  readonly expression: RegExp;
  /** Whether a match holds, or the lack of one. */
  readonly holdsOnMatch: boolean;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly onError: OnError;
}

/** The lease that holds the lock while the probe of that name says so. */
export function leaseOfProbe(name: string): string {
  return `@probe-${name}`;
}

/** Its lease counts towards the deadline, as an app's does. Nobody knows when the URL will answer otherwise. */
export function policyOfProbe(name: string): Partial<LeasePolicy> {
  return { end: () => ({ atWallMs: null, event: `the next answer of ${name} at the earliest` }) };
}

export type ParsedProbes =
  | { readonly ok: true; readonly value: readonly ProbeSettings[] }
  /** Each to come after the name of the variable. */
  | { readonly ok: false; readonly mistakes: readonly string[] };

const MAX_PROBES = 256;
/** Of a wrong value in a message, in characters. */
const MAX_SHOWN_LENGTH = 120;
const MAX_URL_LENGTH = 2048;
const EVERY = { what: 'an interval', defaultMs: 30_000, minMs: 100, maxMs: 86_400_000 };
const TIMEOUT = { what: 'a time-out', defaultMs: 5000, minMs: 10, maxMs: 3_600_000 };
const ON_ERROR: readonly unknown[] = ['keep', 'hold', 'release'] satisfies OnError[];

const FIELDS = ['name', 'url', 'holdWhen', 'holdUnless', 'every', 'timeout', 'onError'];
const FORM = 'a JSON array of objects like {"name": "jenkins", "url": "http://...", "holdWhen": "/regular expression/"} is allowed';

/** Reads the JSON of all probes. No mistake repeats a user, a password or a query of a URL. */
export function parseProbes(text: string): ParsedProbes {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch (error) {
    return { ok: false, mistakes: [`its value is not JSON: ${jsonProblem(error)}; ${FORM}`] };
  }
  if (!Array.isArray(items)) return { ok: false, mistakes: [`${withoutSecrets(items)} is not an array; ${FORM}`] };
  if (items.length > MAX_PROBES) {
    return { ok: false, mistakes: [`${String(items.length)} probes are too many; ${String(MAX_PROBES)} are allowed`] };
  }
  const mistakes: string[] = [];
  const numbers = new Map<string, number>();
  const value = items.map((item: unknown, index) => readProbe(new FieldReader(item, index + 1, mistakes), numbers));
  return mistakes.length === 0 ? { ok: true, value } : { ok: false, mistakes };
}

/** What V8 says of text that is not JSON, without the part of the text that it may quote: that may be a password. */
function jsonProblem(error: unknown): string {
  const message = messageOf(error);
  return message.replace(/, (?:\.\.\.)?".*is not valid JSON$/s, '').replace(/[^ -~]/g, '?');
}

/** The fields of one probe. A mistake is noted with its place; the value used in its place does not matter. */
class FieldReader {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly isObject: boolean;

  constructor(
    item: unknown,
    readonly number: number,
    private readonly mistakes: string[],
  ) {
    this.isObject = typeof item === 'object' && item !== null && !Array.isArray(item);
    this.fields = this.isObject ? (item as Record<string, unknown>) : {};
    if (!this.isObject) this.mistakes.push(`probe ${String(number)}: ${withoutSecrets(item)} is not an object; ${FORM}`);
  }

  has(field: string): boolean {
    return Object.hasOwn(this.fields, field);
  }

  note(field: string, problem: string): void {
    const { name } = this.fields;
    const named = typeof name === 'string' && NAME_PATTERN.test(name) ? ` "${name}"` : '';
    this.mistakes.push(`probe ${String(this.number)}${named}, ${field}: ${problem}`);
  }

  /** Notes a mistake in a field's value. */
  refuse(field: string, problem: string): void {
    this.note(field, `${withoutSecrets(this.fields[field], field === 'url')} ${problem}`);
  }

  /** The text of a field that has to be there; null, and noted, if there is none. */
  text(field: string, allowed: string): string | null {
    const value = this.fields[field];
    if (typeof value === 'string') return value;
    if (this.has(field)) this.refuse(field, `is not a text; ${allowed} is allowed`);
    else this.note(field, `is missing; ${allowed} is needed`);
    return null;
  }
}

function readProbe(reader: FieldReader, numbers: Map<string, number>): ProbeSettings {
  const nothing = { name: '', url: new URL('http://localhost'), authorization: null };
  const expression = { expression: /^/, holdsOnMatch: true };
  if (!reader.isObject) return { ...nothing, ...expression, everyMs: 0, timeoutMs: 0, onError: 'keep' };
  for (const field of Object.keys(reader.fields)) {
    if (!FIELDS.includes(field)) reader.note(withoutSecrets(field), `is no field of a probe; ${FIELDS.join(', ')} are allowed`);
  }
  return {
    name: readName(reader, numbers) ?? '',
    ...(readUrl(reader) ?? nothing),
    ...(readExpression(reader) ?? expression),
    everyMs: readDuration(reader, 'every', EVERY),
    timeoutMs: readDuration(reader, 'timeout', TIMEOUT),
    onError: readOnError(reader),
  };
}

function readName(reader: FieldReader, numbers: Map<string, number>): string | null {
  const allowed = '1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit,';
  const name = reader.text('name', allowed);
  if (name === null) return null;
  if (!NAME_PATTERN.test(name)) {
    reader.refuse('name', `is not a name; ${allowed} is allowed`);
    return null;
  }
  const other = numbers.get(name);
  if (other === undefined) numbers.set(name, reader.number);
  else reader.refuse('name', `is the name of probe ${String(other)} already; each needs one of its own`);
  return name;
}

function readUrl(reader: FieldReader): Pick<ProbeSettings, 'url' | 'authorization'> | null {
  const allowed = 'http://HOST/PATH or https://HOST/PATH, with USER:PASSWORD@ before the host if need be,';
  const text = reader.text('url', allowed);
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || text.length > MAX_URL_LENGTH || !['http:', 'https:'].includes(url.protocol)) {
    reader.refuse('url', `is not a URL that can be asked; ${allowed} of up to ${String(MAX_URL_LENGTH)} characters is allowed`);
    return null;
  }
  const authorization = basicAuthorization(url.username, url.password);
  if (authorization === undefined) {
    reader.refuse('url', 'has a user or password that cannot be sent; percent-encoded UTF-8 without control characters, and no colon in the user, is allowed');
    return null;
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url, authorization };
}

/** As RFC 7617 has it, in UTF-8; null without user and password, undefined if it cannot be written. */
function basicAuthorization(encodedUser: string, encodedPassword: string): string | null | undefined {
  if (encodedUser === '' && encodedPassword === '') return null;
  try {
    const user = decodeURIComponent(encodedUser);
    const password = decodeURIComponent(encodedPassword);
    // eslint-disable-next-line no-control-regex -- these are meant
    if (user.includes(':') || /[\u0000-\u001f\u007f]/.test(user + password)) return undefined;
    return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  } catch {
    return undefined;
  }
}

function readExpression(reader: FieldReader): Pick<ProbeSettings, 'expression' | 'holdsOnMatch'> | null {
  const given = ['holdWhen', 'holdUnless'].filter((field) => reader.has(field));
  const [field = 'holdWhen'] = given;
  if (given.length === 2) {
    reader.note('holdWhen and holdUnless', 'both are there; one of them is allowed');
    return null;
  }
  if (given.length === 0) {
    reader.note('holdWhen or holdUnless', `is missing; ${EXPRESSION_FORM} is needed`);
    return null;
  }
  const text = reader.text(field, EXPRESSION_FORM);
  if (text === null) return null;
  const parsed = parseExpression(text);
  if (parsed.ok) return { expression: parsed.value, holdsOnMatch: field === 'holdWhen' };
  reader.refuse(field, parsed.problem);
  return null;
}

function readDuration(reader: FieldReader, field: string, { what, defaultMs, minMs, maxMs }: typeof EVERY): number {
  if (!reader.has(field)) return defaultMs;
  const value = reader.fields[field];
  const ms = typeof value === 'string' ? parseDuration(value) : typeof value === 'number' ? secondsToMs(value) : null;
  if (ms !== null && ms >= minMs && ms <= maxMs) return ms;
  const range = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  reader.refuse(field, `is not ${what}; a duration ${range} is allowed: ${DURATION_FORMS}`);
  return defaultMs;
}

function readOnError(reader: FieldReader): OnError {
  if (!reader.has('onError')) return 'keep';
  const { onError } = reader.fields;
  if (!ON_ERROR.includes(onError)) reader.refuse('onError', 'is not allowed; keep, hold or release is');
  return onError as OnError;
}

/**
 * A value for people, on one line and without what may be secret: what stands before the last `@`, which ends user and
 * password in a URL however wrong the rest is, and a query. A URL may stand in a wrong field, too.
 */
function withoutSecrets(value: unknown, isUrl = false): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  const end = text.lastIndexOf('@');
  const mayHavePassword = end >= 0 && (isUrl || text.slice(0, end).includes(':'));
  const rest = mayHavePassword ? `"***${text.slice(end)}` : text;
  const mayHaveQuery = isUrl || mayHavePassword || /^"https?:/i.test(rest);
  const query = mayHaveQuery ? rest.indexOf('?') : -1;
  return shortened(query < 0 ? rest : `${rest.slice(0, query)}?***"`);
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}..."`;
}
