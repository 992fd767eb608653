/** The names under which a device asks for a turn, and gives it back. */
export interface FleetNames {
  /** Of the server, without a slash at its end. */
  readonly url: string;
  readonly group: string;
  readonly id: string;
}

/** A turn that was given. */
export interface Turn {
  readonly names: FleetNames;
  readonly sinceWallMs: number;
  /** Whether anything waited but a release, or the host OS has changed: a new host OS may still roll back for a while. */
  readonly isForReboot: boolean;
  /** The Supervisor has taken the lock in it, or nothing waits any more. */
  readonly hasBegun: boolean;
  /** Nothing has waited since: what waits from now on is another update. */
  readonly isOver: boolean;
  /** The release that the device was to have, by its commit; null if that is not known. */
  readonly target: string | null;
  /** The version of the host OS when the turn was given; null if that is not known. */
  readonly os: string | null;
  /** The boot in which it was given. */
  readonly boot: string;
}

/** What has to outlive the process and a reboot. */
export interface FleetMemory {
  /** The turn that this device has; null for none. */
  readonly turn: Turn | null;
  /** The names under which it asks, or asked when it was ended: the answer may have been a turn. Null while it does not ask. */
  readonly asked: FleetNames | null;
  /** Turns that this device does not want any more, and may still have. */
  readonly toReturn: readonly FleetNames[];
}

export const NOTHING_REMEMBERED: FleetMemory = { turn: null, asked: null, toReturn: [] };

/** As it is kept in the state directory. */
export interface StoredFleet {
  readonly version: 1;
  /** At random: tells this device from another with the same id. */
  readonly instance: string;
  readonly memory: FleetMemory;
}

export function areSameNames(one: FleetNames, other: FleetNames): boolean {
  return one.url === other.url && one.group === other.group && one.id === other.id;
}

/** It is sent as a header, in which a request cannot have every character. */
const INSTANCE_PATTERN = /^[\w-]{1,128}$/;

/** The last instant that a date can show. */
const MAX_DATE_MS = 8.64e15;

/** Null for anything that is not as {@link StoredFleet} says, or cannot be sent or shown: a request with it would end the process. */
export function parseStoredFleet(json: unknown): StoredFleet | null {
  if (!isObject(json) || json['version'] !== 1 || !isObject(json['memory'])) return null;
  const { instance, memory } = json;
  const { turn, asked, toReturn } = memory;
  const isWhole =
    typeof instance === 'string' && INSTANCE_PATTERN.test(instance) && (turn === null || isTurn(turn)) && (asked === null || areNames(asked)) && Array.isArray(toReturn) && toReturn.every(areNames);
  return isWhole ? { version: 1, instance, memory: { turn, asked, toReturn } } : null;
}

function isTurn(json: unknown): json is Turn {
  if (!isObject(json) || !areNames(json['names'])) return false;
  const { sinceWallMs, isForReboot, hasBegun, isOver, boot } = json;
  const areFlags = [isForReboot, hasBegun, isOver].every((each) => typeof each === 'boolean');
  const areTexts = [json['target'], json['os']].every((each) => each === null || typeof each === 'string');
  return typeof sinceWallMs === 'number' && Math.abs(sinceWallMs) <= MAX_DATE_MS && typeof boot === 'string' && areFlags && areTexts;
}

function areNames(json: unknown): json is FleetNames {
  return isObject(json) && ['url', 'group', 'id'].every((field) => typeof json[field] === 'string') && /^https?:/.test(String(json['url'])) && URL.canParse(String(json['url']));
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null;
}
