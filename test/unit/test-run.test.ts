import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../support/sidecar';
import { leftOvers, runName } from '../support/test-run';

/** What fails a run of the suite that leaves something behind. */

function namesProcess(pid: number | undefined): boolean {
  return leftOvers().some((line) => line.startsWith(`process ${String(pid)}:`));
}

test('a process that goes on is named, even one without an environment that has only a file open', async () => {
  const fd = openSync(join(makeFolder(), 'file'), 'w');
  const children = [spawn('sleep', ['600'], { stdio: 'ignore' }), spawn('sleep', ['600'], { env: {}, stdio: ['ignore', 'ignore', 'ignore', fd] })];
  closeSync(fd);
  for (const { pid } of children) expect(namesProcess(pid)).toBe(true);
  for (const child of children) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const { pid } of children) expect(namesProcess(pid)).toBe(false);
});

test('a mount is named', () => {
  const path = join(makeFolder(), 'mounted');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]);
  expect(leftOvers()).toContain(`mount ${path}`);
  execFileSync('umount', [path]);
  expect(leftOvers()).not.toContain(`mount ${path}`);
});

test('a network namespace is named', () => {
  const name = `${runName()}-left`;
  execFileSync('ip', ['netns', 'add', name]);
  expect(leftOvers()).toContain(`network namespace ${name}`);
  execFileSync('ip', ['netns', 'delete', name]);
  expect(leftOvers()).not.toContain(`network namespace ${name}`);
});
