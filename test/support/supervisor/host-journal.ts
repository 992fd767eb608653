import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Request, Response } from 'express';

const REMOTE = '/lib/systemd/systemd-journal-remote';

/**
 * The journal of the host: a real one, in a folder of its own, read by the real journalctl. `safe_reboot` writes into it as
 * meta-balena v8 `os-helpers/safe_reboot` and `os-helpers-logging` do.
 */
export class HostJournal {
  readonly #folder = mkdtempSync(join(tmpdir(), 'update-lock-journal-'));
  readonly #path = join(this.#folder, 'host.journal');
  readonly #entries: string[] = [];

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Finds that lock file taken: a path of the host. */
  waitsFor(path: string, ageMs = 0): void {
    this.write(`[safe_reboot][WARN] ${path} exists, busy waiting on unlocking for reboot.`, ageMs);
  }

  /** Finds no lock file taken, and reboots. */
  goesOn(): void {
    this.write('[safe_reboot][INFO] No user service lock exists.');
    this.write('[safe_reboot][INFO] Rebooting now...');
  }

  /** The journal is made anew with each line: systemd-journal-remote adds nothing to a file. */
  write(message: string, ageMs = 0, identifier = 'safe_reboot'): void {
    const count = String(this.#entries.length + 1);
    this.#entries.push([
      `__REALTIME_TIMESTAMP=${String(Date.now() - ageMs)}000`, `__MONOTONIC_TIMESTAMP=${count}`, '_BOOT_ID=00000000000000000000000000000001',
      '_HOSTNAME=d1a5b1b', '_PID=4711', 'PRIORITY=6', `SYSLOG_IDENTIFIER=${identifier}`, `MESSAGE=${message}`, '', '',
    ].join('\n'));
    const path = join(this.#folder, 'new');
    const { status, stderr } = spawnSync(REMOTE, ['-o', `${path}.journal`, '-'], { input: this.#entries.join(''), encoding: 'utf8' });
    if (status !== 0) throw new Error(`systemd-journal-remote failed: ${stderr}`);
    renameSync(`${path}.journal`, this.#path);
  }

  /** `POST /v2/journal-logs` (balena-supervisor v19.0.5 `src/device-api/v2.ts`, `src/lib/journald.ts`). */
  answer(request: Request, response: Response): void {
    const { containerId, count, since, format = 'short' } = request.body as Record<string, string | number | undefined>;
    const options = { '-t': containerId, '-n': count, '-S': since, '-o': format };
    const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
    const journalctl = spawn('journalctl', [...(existsSync(this.#path) ? ['--file', this.#path] : ['-D', this.#folder]), ...given], { stdio: ['ignore', 'pipe', 'ignore'] });
    response.status(200);
    journalctl.stdout.pipe(response);
    response.on('close', () => journalctl.kill('SIGKILL'));
  }
}
