import { printable, quote } from '../../../server/text';
import { CONTROL_TAG_NAMES, MAX_VALUE_LENGTH, readControlTag, type ControlTagName, type ControlTagValue } from './control-tag';

export interface DeviceTag {
  readonly name: string;
  readonly value: string;
}

/** The last readable value of each control tag that the device has. */
export type TagTexts = Readonly<Partial<Record<ControlTagName, string>>>;

/** What the control tags say; null for a tag that the device does not have. */
export type ControlTags = { readonly [N in ControlTagName]: ControlTagValue<N> | null };

/** A tag with our prefix whose value cannot be read, or whose name is unknown. */
export interface TagProblem {
  /** Its whole name. */
  readonly name: string;
  /** Shortened and quoted. */
  readonly value: string;
  readonly problem: string;
}

/** How many problems are reported, and how many characters of each: there may be thousands of tags. */
const MAX_PROBLEMS = 10;
const MAX_PROBLEM_LENGTH = 200;

export interface AfterAnswer {
  readonly texts: TagTexts;
  readonly problems: readonly TagProblem[];
}

/**
 * What is known after the device's tags have been read. Where a value cannot be read, the last readable one stays.
 * @param known what was known before; null if the tags have never been read
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

/** Takes over a value, or keeps the last readable one. Returns what is wrong with the value; null if nothing is. */
function take(texts: Partial<Record<ControlTagName, string>>, known: TagTexts | null, name: ControlTagName, value: string): string | null {
  const read = readControlTag(name, value);
  const before = known?.[name];
  if (read.ok) texts[name] = value.slice(0, MAX_VALUE_LENGTH);
  else if (before !== undefined) texts[name] = before;
  return read.ok ? null : read.problem;
}

/** What readable values mean. */
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
 * Null for another version's file, or anything else. If this version cannot read one of the values, the whole file counts as unreadable: ignoring
 * one tag could open a window.
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
  return `is the value of an unknown tag; the control tags are ${others.reverse().join(', ')} and ${String(last)}`;
}

function shortened(text: string): string {
  return printable(text.length <= MAX_PROBLEM_LENGTH ? text : `${text.slice(0, MAX_PROBLEM_LENGTH - 3)}...`);
}
