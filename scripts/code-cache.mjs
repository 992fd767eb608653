// Makes dist/sidecar/sidecar.*.cache: what V8 makes of the bundle, so that a start need not wait for it.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Also on a machine that emulates another. */
const WITHIN_MS = 120_000;

/**
 * Runs the sidecar once. The sidecar needs no code cache, only longer to start, so that a machine on which it cannot run
 * is no reason not to build it.
 */
export function makeCodeCache(root) {
  const folder = mkdtempSync(join(tmpdir(), 'update-lock-build-'));
  // The user who owns the lock files gets there.
  chmodSync(folder, 0o755);
  // V8 takes a cache only under the flags under which it was made, so none of ours.
  const { PATH, SIDECAR_NODE_OPTIONS = '' } = process.env;
  const { status, error, stderr } = spawnSync(process.execPath, [join(root, 'scripts/warm-up.cjs'), folder], {
    env: { PATH, NODE_OPTIONS: SIDECAR_NODE_OPTIONS },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: WITHIN_MS,
    killSignal: 'SIGKILL',
  });
  rmSync(folder, { recursive: true, force: true });
  if (status === 0) return;
  for (const file of readdirSync(join(root, 'dist/sidecar'))) if (file.endsWith('.cache')) rmSync(join(root, 'dist/sidecar', file));
  process.stderr.write(`Built without a code cache, so the sidecar takes longer to start: ${error?.message ?? (stderr.trim() || `exit status ${status}`)}\n`);
}
