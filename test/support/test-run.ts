import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** What one run of the suite makes outside of its own processes, all of it known by the name of one folder. */

const VARIABLE = 'UPDATE_LOCK_TEST_FOLDER';

/** Begins a run: every process that is started from now on knows its folder. */
export function beginRun(): void {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'update-lock-test-'));
  chmodSync(folder, 0o755);
  process.env[VARIABLE] = folder;
}

/** The folder on a tmpfs, as the lock directory is on a device, in which this run has everything. */
export function runFolder(): string {
  const folder = process.env[VARIABLE];
  if (folder === undefined) throw new Error('No run of the tests has begun');
  return folder;
}

/** What the names of things begin with that have no place in a folder, such as network namespaces. */
export function runName(): string {
  return basename(runFolder());
}

/** What of this run is still there, in words: processes, mounts and network namespaces. */
export function leftOvers(): string[] {
  return [...processes(), ...mounts(), ...networkNamespaces()];
}

function processes(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    // A process that has ended and is not yet collected has none. Jest ends its workers itself.
    if (command === '' || command.includes('jest-worker')) return [];
    const open = target(`/proc/${pid}/fd/3`);
    const isOurs = [command, read(`/proc/${pid}/environ`), open].some((text) => text.includes(runFolder()));
    return isOurs ? [`process ${pid}: ${command}${open === '' ? '' : `, which has opened ${open}`}`] : [];
  });
}

function mounts(): string[] {
  const paths = read('/proc/self/mountinfo').split('\n').map((line) => line.split(' ')[4] ?? '');
  return paths.filter((path) => path.startsWith(`${runFolder()}/`)).map((path) => `mount ${path}`);
}

function networkNamespaces(): string[] {
  if (!existsSync('/run/netns')) return [];
  return readdirSync('/run/netns').filter((name) => name.startsWith(runName())).map((name) => `network namespace ${name}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function target(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
