import { hostname } from 'node:os';
import { basename } from 'node:path';
import { InvalidRequestError } from './errors/invalid-request-error';
import type { Lease } from './types';

const PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws InvalidRequestError if no lease of an app can have that name */
export function checkName(name: string): string {
  if (PATTERN.test(name)) return name;
  const allowed = '1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit';
  throw new InvalidRequestError(`${JSON.stringify(name)} is not the name of a lease; allowed are ${allowed}`, 'invalid');
}

/** @throws InvalidRequestError if no lease of an app can have that name */
export function leasePath(name: string): string {
  return `/v1/leases/${encodeURIComponent(checkName(name))}`;
}

/**
 * A unique name: `recorder-3f2a9c1b7d20-17-x4k2p9`. The program's name is for people; the host's name tells containers apart, whose
 * process ids are alike; the random end tells apart the leases of one process.
 */
export function makeName(program = process.argv[1] ?? process.execPath): string {
  const parts = [shorten(basename(program).replace(/\.\w+$/, ''), 24), shorten(hostname(), 20), String(process.pid)];
  const chance = Math.random().toString(36).slice(2, 8).padEnd(6, '0');
  return [...parts.filter((part) => part !== ''), chance].join('-');
}

/** The id of a lease; undefined from an older sidecar. */
export function idOf(lease: Partial<Lease>): string | undefined {
  return lease.id;
}

/** The header that restricts a request to that very lease. */
export function ifMatch(id: string | undefined): Record<string, string> {
  return id === undefined ? {} : { 'If-Match': `"${id}"` };
}

/** Keeps only the characters that a name may have; begins and ends with a letter or digit. */
function shorten(text: string, maxLength: number): string {
  const allowed = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return allowed.slice(0, maxLength).replace(/[^A-Za-z0-9]+$/, '');
}
