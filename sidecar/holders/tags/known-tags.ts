import { printable, quote } from '../../../server/text';
import { CONTROL_TAG_NAMES, MAX_VALUE_LENGTH, readControlTag, type ControlTagName, type ControlTagValue } from './control-tag';

export interface DeviceTag {
  readonly name: string;
  readonly value: string;
}

/** The values of the control tags that are there, each as it could last be read. */
export type TagTexts = Readonly<Partial<Record<ControlTagName, string>>>;

/** What the control tags say; null for one that is not there. */
export type ControlTags = { readonly [N in ControlTagName]: ControlTagValue<N> | null };

/** A tag with our prefix that cannot be read, or has a name that means nothing. */
export interface TagProblem {
  /** Its whole name. */
  readonly name: string;
  /** Shortened and quoted. */
  readonly value: string;
  readonly problem: string;
}

/** How many problems are told, and how many characters of each: there may be thousands of tags. */
const MAX_PROBLEMS = 10;
const MAX_PROBLEM_LENGTH = 200;

export interface AfterAnswer {
  readonly texts: TagTexts;
  readonly problems: readonly TagProblem[];
}

/**
 * What is known after the device's tags have been read. A value that cannot be read leaves the one before in force.
 * @param known null if they have never been read
 */
export function afterAnswer(known: TagTexts | null, prefix: string, tags: readonly DeviceTag[]): AfterAnswer {
  const texts: Partial<Record<ControlTagName, string>> = {};
  const problems: TagProblem[] = [];
  for (const { name, value } of tags) {
    if (!name.startsWith(`${prefix}.`)) continue;
    const suffix = name.slice(prefix.length + 1);
    const problem = isControlTagName(suffix) ? take(texts, known, suffix, value) : unknownName(prefix);
    if (problem !== null && problems.length < MAX_PROBLEMS) {
      problems.push({ name: shortened(name), value: quote(value), problem: shortened(problem) });
    }
  }
  return { texts, problems };
}

/** Takes over a value, or the one before if it cannot be read. Returns the problem; null if there is none. */
function take(texts: Partial<Record<ControlTagName, string>>, known: TagTexts | null, name: ControlTagName, value: string): string | null {
  const read = readControlTag(name, value);
  const before = known?.[name];
  if (read.ok) texts[name] = value.slice(0, MAX_VALUE_LENGTH);
  else if (before !== undefined) texts[name] = before;
  return read.ok ? null : read.problem;
}

/** The meaning of values that could be read. */
export function meaningOf(texts: TagTexts): ControlTags {
  const read = <N extends ControlTagName>(name: N): ControlTagValue<N> | null => {
    const text = texts[name];
    const result = text === undefined ? null : readControlTag(name, text);
    return result?.ok === true ? result.value : null;
  };
  return { windows: read('windows'), freeze: read('freeze'), timezone: read('timezone'), hold: read('hold'), allow: read('allow') };
}

/** As it is in the state directory. */
export interface StoredTags {
  readonly version: 1;
  readonly tags: TagTexts;
}

/**
 * Null for what is of another version, or was not written by this one. A value that this version cannot read makes all of it unreadable:
 * to go without one of the tags could open a window.
 */
export function parseStoredTags(json: unknown): StoredTags | null {
  const { version, tags } = Object(json) as Record<string, unknown>;
  if (version !== 1 || typeof tags !== 'object' || tags === null) return null;
  const entries: [string, unknown][] = Object.entries(tags);
  const isUnderstood = entries.every(([name, text]) => isControlTagName(name) && typeof text === 'string' && readControlTag(name, text).ok);
  return isUnderstood ? { version, tags } : null;
}

function isControlTagName(name: string): name is ControlTagName {
  return (CONTROL_TAG_NAMES as string[]).includes(name);
}

function unknownName(prefix: string): string {
  const [last, ...others] = CONTROL_TAG_NAMES.map((name) => `${prefix}.${name}`).reverse();
  return `is the value of a tag that means nothing; ${others.reverse().join(', ')} and ${String(last)} are allowed`;
}

function shortened(text: string): string {
  return printable(text.length <= MAX_PROBLEM_LENGTH ? text : `${text.slice(0, MAX_PROBLEM_LENGTH - 3)}...`);
}
