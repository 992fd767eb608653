import { resolve } from 'node:path';
import { DURATION_FORMS, formatDuration, parseDuration } from '../duration';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A year: a longer duration is a mistake. */
export const MAX_DURATION_MS = 365 * 86_400_000;

/** A greater number is a mistake. */
const MAX_COUNT = 1_000_000;

/** The length of `sun_path` (unix(7)), without the zero at its end. */
const SOCKET_PATH_MAX_BYTES = 107;

/** One host name that requests may use: `device.example.com`, `*.example.com` or `*`. */
const HOST_NAMES = /^(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)$/;

/** Reads a duration between two others, in milliseconds. Throws an error that says what is allowed. */
export function readDuration(value: string, noun: string, minMs: number, maxMs: number, others = ''): number {
  const ms = parseDuration(value);
  if (ms !== null && ms >= minMs && ms <= maxMs) return ms;
  throw new Error(`is not ${noun}; ${others}a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)} is allowed: ${DURATION_FORMS}`);
}

function readPort(value: string, what: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) throw new Error(`is not a port; ${what} allowed`);
  return port;
}

/** The forms of settings, beside env-var's own: each returns the value, or throws an error that says what is allowed. */
export const FORMS = {
  asDuration: (value: string): number => {
    const ms = parseDuration(value);
    if (ms === null || ms > MAX_DURATION_MS) {
      throw new Error(`is not a duration of at most ${formatDuration(MAX_DURATION_MS)}; ${DURATION_FORMS} are allowed`);
    }
    return ms;
  },
  asHttpUrl: (value: string): string => {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url?.protocol !== 'http:') throw new Error('is not an address; http://HOST:PORT is allowed');
    return url.origin;
  },
  asPort: (value: string): number => readPort(value, '0 to 65535 is'),
  asPortOrOff: (value: string): number | 'off' => (value === 'off' ? 'off' : readPort(value, '0 to 65535, or off, are')),
  asHost: (value: string): string => {
    if (!/^[A-Za-z0-9.:_-]+$/.test(value)) throw new Error('is not a host; an address or a host name is allowed');
    return value;
  },
  asHostNames: (value: string): readonly string[] => {
    const names = value.split(',').map((name) => name.trim().toLowerCase());
    const wrong = names.filter((name) => !HOST_NAMES.test(name));
    if (wrong.length === 0) return names;
    const which = wrong.map((name) => JSON.stringify(name)).join(', ');
    throw new Error(`has ${which} in it; host names without a port, separated by commas, "*.NAME" for all below one, or "*" for any, are allowed`);
  },
  asPath: (value: string): string => {
    if (value.includes('\0')) throw new Error('is not a path');
    return resolve(value);
  },
  asSocketPath: (value: string): string => {
    if (value === 'off') return 'off';
    if (Buffer.byteLength(resolve(value)) > SOCKET_PATH_MAX_BYTES) {
      throw new Error(`is too long for a socket; a path of up to ${String(SOCKET_PATH_MAX_BYTES)} bytes, or off, is allowed`);
    }
    return resolve(value);
  },
  asPermissionBits: (value: string): number => {
    if (!/^0?[0-7]{3}$/.test(value)) throw new Error('is not a mode; three octal digits like 0666 are allowed');
    return parseInt(value, 8);
  },
  asCount: (value: string): number => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < 1 || number > MAX_COUNT) {
      throw new Error(`is not a number; 1 to ${String(MAX_COUNT)} is allowed`);
    }
    return number;
  },
};
