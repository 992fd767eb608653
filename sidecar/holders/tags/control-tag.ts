import { printable } from '../../../server/text';
import { REASON_MAX_LENGTH } from '../../leases/lease';
import { parseDay } from '../windows/freezes';
import { readFreezes, readTimeZone, readWindows, type ReadValue } from '../windows/time-settings';

/** The tag that holds updates. */
export interface TagHold {
  /** By the wall clock, in milliseconds of the Unix epoch; null for until the tag is removed. */
  readonly untilWallMs: number | null;
  /** For people; may be empty. */
  readonly reason: string;
}

/** The tag that allows updates, whatever the windows say. */
export interface TagAllow {
  readonly untilWallMs: number;
  readonly reason: string;
}

/** The device tags that steer the sidecar, by what follows the prefix and a dot, and how the value of each is read. */
const READERS = { windows: readWindows, freeze: readFreezes, timezone: readTimeZone, hold: readHold, allow: readAllow };

export type ControlTagName = keyof typeof READERS;
export const CONTROL_TAG_NAMES = Object.keys(READERS) as ControlTagName[];

/** What the value of a control tag means. */
export type ControlTagValue<N extends ControlTagName> = Extract<ReturnType<(typeof READERS)[N]>, { readonly ok: true }>['value'];

/** More characters than any value needs. Of a longer hold the rest is ignored, since any text is a hold. */
export const MAX_VALUE_LENGTH = 4096;

/** Reads the value of a control tag, which may be any text. The problem is worded to follow the value. */
export function readControlTag<N extends ControlTagName>(name: N, text: string): ReadValue<ControlTagValue<N>> {
  if (text.trim() === '') return { ok: false, problem: 'is empty' };
  if (name !== 'hold' && text.length > MAX_VALUE_LENGTH) return { ok: false, problem: `is longer than ${String(MAX_VALUE_LENGTH)} characters` };
  return READERS[name](text.slice(0, MAX_VALUE_LENGTH));
}

/** `until`, an instant of RFC 3339, with or without seconds, and perhaps a reason. */
const UNTIL = /^until\s+((\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))(?:\s*[,;:]?\s+(.*))?$/is;

function readUntil(text: string): TagAllow | null {
  const [, instant = '', date = '', reason = ''] = UNTIL.exec(text.trim()) ?? [];
  const untilWallMs = Date.parse(instant.toUpperCase());
  // V8 reads the 30th of February as the 2nd of March.
  return Number.isNaN(untilWallMs) || parseDay(date) === null ? null : { untilWallMs, reason: readReason(reason) };
}

function readHold(text: string): ReadValue<TagHold> {
  return { ok: true, value: readUntil(text) ?? { untilWallMs: null, reason: readReason(text) } };
}

function readAllow(text: string): ReadValue<TagAllow> {
  const value = readUntil(text);
  if (value !== null) return { ok: true, value };
  return { ok: false, problem: 'is not an instant; "until 2026-12-01T12:00Z" is allowed, and a reason after it' };
}

function readReason(text: string): string {
  return [...printable(text.trim())].slice(0, REASON_MAX_LENGTH).join('');
}
