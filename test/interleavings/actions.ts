import { chmodSync, fstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Area } from './areas';
import type { Device } from './device';
import type { Operation } from './intercepted-files';
import {
  anotherFlocks, danglingLink, exists, file, folder, heliosFile, link, linkToVictim, make, moveDirectory, remove, replace, supervisorForces, supervisorHasDone, supervisorTries, type Maker,
} from './others';

/** Something that happens between two file operations of the sidecar. */
export interface Action {
  readonly name: string;
  readonly area: Area;
  /**
   * Does it, before that operation; null at the end.
   * @returns whether anything has changed; or the error with which the operation is to fail
   */
  readonly act: (device: Device, operation: Operation | null) => boolean | Error;
}

/** The user of a service that is nobody in particular. */
const STRANGER = 1000;

function done(act: (device: Device) => void): Action['act'] {
  return (device) => {
    act(device);
    return true;
  };
}

const CRASHES: readonly Action[] = ([
  ['the sidecar crashes', (device) => { device.crash(); }],
  ['the container crashes', (device) => { device.crashWithContainer(); }],
  ['the device reboots', (device) => { device.reboot(true); }],
  ['the device reboots, and the lock is on a disk', (device) => { device.reboot(false); }],
  ['the host tries', (device) => { device.observer.lookAtFlock(); }],
] satisfies [string, (device: Device) => void][]).map(([name, act]) => ({ name, area: 'process', act: done(act) }));

const UPDATERS: readonly Action[] = ([
  ['the Supervisor tries', (device) => supervisorTries(device)],
  ['an old Supervisor tries', (device) => supervisorTries(device, true)],
  ['the Supervisor forces', (device) => supervisorForces(device, device.names.slice(0, 2))],
  ['the Supervisor forces one file', (device) => supervisorForces(device, device.names.slice(0, 1))],
  ['the Supervisor forces the other file', (device) => supervisorForces(device, device.names.slice(1, 2))],
  ['the Supervisor forces the legacy file', (device) => supervisorForces(device, device.names.slice(2))],
  ['the Supervisor forces, and has done', (device) => {
    supervisorForces(device, device.names.slice(0, 2));
    supervisorHasDone(device);
    return true;
  }],
  ['another process flocks', anotherFlocks],
  ['Helios tries', (device) => make(device, device.names[0] ?? '', heliosFile)],
  ['Helios forces', (device) => replace(device, device.names[0] ?? '', heliosFile)],
] satisfies [string, Action['act']][]).map(([name, act]) => ({ name, area: 'names', act }));

function strangersAt(index: number, what: string): Action[] {
  const at = (act: (device: Device, path: string) => boolean): Action['act'] => (device) => {
    const path = device.names[index];
    return path !== undefined && act(device, path);
  };
  const actions: [string, Action['act']][] = [
    [`somebody makes a file at ${what}`, at((device, path) => make(device, path, file, STRANGER))],
    [`somebody makes a folder at ${what}`, at((device, path) => make(device, path, folder))],
    [`somebody makes a dangling link at ${what}`, at((device, path) => make(device, path, danglingLink, STRANGER))],
    [`somebody makes a link to a file at ${what}`, at((device, path) => make(device, path, linkToVictim(device), STRANGER))],
    [`somebody removes ${what}`, at(remove)],
    [`somebody replaces ${what} by a file`, at((device, path) => replace(device, path, file))],
    [`somebody replaces ${what} by a folder`, at((device, path) => replace(device, path, folder))],
    [`somebody replaces ${what} by a link`, at((device, path) => replace(device, path, danglingLink))],
    [`somebody links ${what}`, at((_, path) => link(path))],
  ];
  return actions.map(([name, act]) => ({ name, area: 'names', act }));
}

/** Our folder is removed or changed. Without the journal, nothing can be known of the leases in it. */
const SABOTAGE: readonly Action[] = ([
  ['the journal is removed', false, (path) => { rmSync(join(path, 'journal'), { force: true, recursive: true }); }],
  ['the journal is replaced by a folder', false, replaceBy('journal', folder)],
  ['the folder is removed', true, (path) => { rmSync(path, { recursive: true }); }],
  ['the folder is replaced by another', true, replaceBy('', folder)],
  ['the folder is replaced by a link', true, (path, device) => {
    rmSync(path, { recursive: true });
    make(device, path, (at) => { symlinkSync(device.elsewhere, at); });
  }],
] satisfies [string, boolean, (path: string, device: Device) => void][]).map(([name, isFolderGone, act]) => ({
  name,
  area: 'folder',
  act: (device) => {
    const path = join(device.directory, '.update-lock');
    if (!exists(path)) return false;
    device.journalIsGone(isFolderGone);
    act(path, device);
    return true;
  },
}));

function replaceBy(name: string, maker: Maker): (path: string) => void {
  return (path) => {
    rmSync(join(path, name), { force: true, recursive: true });
    maker(join(path, name));
  };
}

const DIRECTORY: readonly Action[] = [
  { name: 'the anchor is removed', area: 'folder', act: done((device) => { rmSync(join(device.directory, '.update-lock/anchor'), { force: true }); }) },
  { name: 'the directory is moved away', area: 'directory', act: moveDirectory },
  {
    name: 'the directory is replaced',
    area: 'directory',
    act: (device) => {
      if (!moveDirectory(device)) return false;
      mkdirSync(device.directory);
      return true;
    },
  },
  {
    name: 'the directory is closed to others',
    area: 'rights',
    act: (device) => {
      if (!exists(device.directory)) return false;
      chmodSync(device.directory, 0o755);
      return true;
    },
  },
];

const SHORTAGES: readonly Action[] = [
  { name: 'the disk fills', area: 'disk', act: done(({ disk }) => { disk.fill(); }) },
  { name: 'the disk has no room for files', area: 'disk', act: done(({ disk }) => { disk.fillFiles(); }) },
  {
    name: 'the disk is full for once',
    area: 'disk',
    act: (_, operation) => operation !== null && needsSpace(operation) && Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }),
  },
];

/** Whether the kernel may have to find room for it: not where bytes are overwritten. */
function needsSpace({ name, args }: Operation): boolean {
  if (name === 'writeSync') return typeof args[4] === 'number' && args[4] >= fstatSync(args[0] as number).size;
  return ['linkSync', 'mkdirSync'].includes(name) || (name === 'openSync' && !exists(String(args[0])));
}

const TIME: readonly Action[] = ([
  ['time jumps to the next end', (device) => { device.clock.advance(device.nextEndInMs()); }],
  ['time jumps past every end', (device) => { device.clock.advance(200_000); }],
  ['the wall clock is set', (device) => { device.clock.wallNowMs += 1e9; }],
] satisfies [string, (device: Device) => void][]).map(([name, act]) => ({ name, area: 'time', act: done(act) }));

export const ACTIONS: readonly Action[] = [
  ...CRASHES, ...UPDATERS, ...strangersAt(0, 'updates.lock'), ...strangersAt(1, 'resin-updates.lock'), ...strangersAt(2, 'the legacy file'), ...SABOTAGE, ...DIRECTORY, ...SHORTAGES, ...TIME,
];

export function actionNamed(name: string): Action {
  const action = ACTIONS.find((each) => each.name === name);
  if (action === undefined) throw new Error(`there is no action "${name}"`);
  return action;
}
