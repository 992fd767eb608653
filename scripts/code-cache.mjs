// Makes dist/sidecar/sidecar.cache: what V8 makes of the bundle, so that a start need not wait for it.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Also on a machine that emulates another; the sidecar is told to end before. */
const WITHIN_MS = 90_000;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Runs the sidecar once. The sidecar needs no code cache, only longer to start, so that a machine on which it cannot run
 * is no reason not to build it.
 */
export function makeCodeCache(root) {
  try {
    writeFileSync(join(root, 'dist/sidecar/sidecar.cache'), warmUp(root));
  } catch (error) {
    process.stderr.write(`Built without a code cache, so the sidecar takes longer to start: ${error.message}\n`);
  }
}

function warmUp(root) {
  const folder = mkdtempSync(join(tmpdir(), 'update-lock-build-'));
  try {
    // The user who owns the lock files gets there.
    chmodSync(folder, 0o755);
    // V8 may take a cache only under the flags under which it was made, so none of ours.
    const { PATH, SIDECAR_NODE_OPTIONS = '' } = process.env;
    const { error, stderr, output } = spawnSync(process.execPath, [join(root, 'scripts/warm-up.cjs'), folder], {
      env: { PATH, NODE_OPTIONS: SIDECAR_NODE_OPTIONS },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      maxBuffer: MAX_BYTES,
      timeout: WITHIN_MS,
      killSignal: 'SIGKILL',
    });
    if (error !== undefined) throw error;
    if (output[3].length === 0) throw new Error(String(stderr).trim() || 'the sidecar ended before it was warm');
    return output[3];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
