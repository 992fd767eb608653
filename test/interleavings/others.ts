import { closeSync, lchownSync, linkSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { NOBODY } from '../support/readers';
import type { Device } from './device';

/** What others do in the lock's directories, each as root, who may. Each function returns whether it has changed anything. */

/** Makes something at a path. */
export type Maker = (path: string) => void;

/** As procmail's `lockfile -r 0` makes its file, but for the owner: of one byte, and nobody may write it. */
export const lockfile: Maker = (path) => {
  const fd = openSync(path, 'wx', 0o444);
  try {
    writeSync(fd, '0');
  } finally {
    closeSync(fd);
  }
};
export const file: Maker = (path) => { writeFileSync(path, 'somebody else', { flag: 'wx' }); };
export const emptyFile: Maker = (path) => { writeFileSync(path, '', { flag: 'wx' }); };
export const heliosFile: Maker = (path) => { writeFileSync(path, Buffer.from([2, 0x63]), { flag: 'wx', mode: 0o600 }); };
export const folder: Maker = (path) => { mkdirSync(path); };
export const danglingLink: Maker = (path) => { symlinkSync('/nowhere/at-all', path); };

/** Fails like `O_EXCL` if there is anything of that name. It belongs to its owner before the sidecar can see it. */
export function make(device: Device, path: string, maker: Maker, uid = 0): boolean {
  if (exists(path) || !exists(dirname(path)) || !hasMade(path, maker)) return false;
  if (uid !== 0) lchownSync(path, uid, uid);
  device.others.add(path);
  return true;
}

/** Others find the disk full, too, and then leave nothing behind. */
function hasMade(path: string, maker: Maker): boolean {
  try {
    maker(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    rmSync(path, { force: true });
    return false;
  }
}

export function remove(device: Device, path: string): boolean {
  if (!exists(path)) return false;
  isTakenFrom(device, path);
  rmSync(path, { recursive: true });
  return true;
}

/** Renames something new over a name; a folder can only take the place of nothing. */
export function replace(device: Device, path: string, maker: Maker): boolean {
  if (!exists(dirname(path))) return false;
  const temporary = join(dirname(path), 'tmp-other.lock');
  if (!hasMade(temporary, maker)) return false;
  if (exists(path)) {
    const isOfOneKind = lstatSync(path).isDirectory() === lstatSync(temporary).isDirectory();
    isTakenFrom(device, path);
    if (!isOfOneKind) rmSync(path, { recursive: true });
  }
  renameSync(temporary, path);
  device.others.add(path);
  return true;
}

/** Gives the file at a path a second name. */
export function link(path: string): boolean {
  const copy = join(dirname(path), `copy-of-${basename(path)}`);
  if (!exists(path) || lstatSync(path).isDirectory() || exists(copy)) return false;
  linkSync(path, copy);
  return true;
}

export function linkToVictim(device: Device): Maker {
  const victim = join(device.elsewhere, 'victim');
  make(device, victim, file);
  return (path) => { symlinkSync(victim, path); };
}

/** The Supervisor takes both files or none, in this order. An old one is root, and its files are empty. */
export function supervisorTries(device: Device, isOld = false): boolean {
  const [first = '', second = ''] = device.names;
  const take = (path: string): boolean => (isOld ? make(device, path, emptyFile) : make(device, path, lockfile, NOBODY));
  if (!take(first)) return false;
  if (!take(second)) remove(device, first);
  return true;
}

export function supervisorForces(device: Device, paths: readonly string[]): boolean {
  const changes = paths.map((path) => [remove(device, path), make(device, path, lockfile, NOBODY)]);
  return changes.flat().includes(true);
}

export function supervisorHasDone(device: Device): void {
  for (const path of device.names.slice(0, 2)) if (device.others.paths.includes(path)) remove(device, path);
}

/** A process outside of the container has a file of the lock open, and takes its flock as soon as it is free. */
export function anotherFlocks(device: Device): boolean {
  const [path = ''] = device.names;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || device.kernel.isFlocked(stats)) return false;
  device.kernel.flockByAnother(stats);
  return true;
}

/** Moves the lock directory away. */
export function moveDirectory(device: Device): boolean {
  const moved = `${device.directory}-${String(device.operations)}`;
  if (!exists(device.directory) || exists(moved)) return false;
  for (const path of device.names) if (dirname(path) === device.directory && exists(path)) noteLoss(device, path);
  renameSync(device.directory, moved);
  device.others.move(device.directory, moved);
  device.journalIsGone(true);
  return true;
}

function isTakenFrom(device: Device, path: string): void {
  noteLoss(device, path);
  device.others.forget(path);
}

/** What is at a name of the lock and of nobody else is ours. */
function noteLoss(device: Device, path: string): void {
  if (device.names.includes(path) && !device.others.has(lstatSync(path))) device.isTaken = true;
}

export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
