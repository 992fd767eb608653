import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 10_000;

/**
 * Removes a folder that somebody may still be writing into: a child of a process just killed, or a stand-in that takes a
 * lock. What comes after the folder has been listed makes `rmSync` fail with ENOTEMPTY, and its own retries do not list again.
 */
export async function removeFolder(folder: string): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || Date.now() > deadline) throw error;
    }
    await sleep(10);
  }
}
