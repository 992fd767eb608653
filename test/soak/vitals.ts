import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sidecar } from '../support/sidecar';

/** What must not grow with the work that a sidecar has done. */
export interface Vitals {
  /** On the heap and beside it, after its garbage was collected. */
  readonly heapBytes: number;
  readonly timers: number;
  readonly descriptors: number;
  readonly children: number;
  readonly journalBytes: number;
  /** Lines of `GET /metrics`. */
  readonly series: number;
  /** Files and folders below those that it writes into. */
  readonly files: number;
}

const LOOKS = 5;

/** Of a sidecar into which `inside.cjs` was loaded, while it has nothing to do: the lowest of several looks, since a probe may be asking. */
export async function vitalsOf(sidecar: Sidecar): Promise<Vitals> {
  let lowest = await look(sidecar);
  for (let looks = 1; looks < LOOKS; looks += 1) {
    await sleep(50);
    const seen = await look(sidecar);
    lowest = Object.fromEntries(Object.entries(seen).map(([what, value]) => [what, Math.min(value as number, lowest[what as keyof Vitals])])) as unknown as Vitals;
  }
  return lowest;
}

async function look(sidecar: Sidecar): Promise<Vitals> {
  const { pid } = sidecar.process;
  const series = (await sidecar.send('GET', '/metrics')).text.split('\n').length;
  sidecar.output = '';
  sidecar.process.kill('SIGUSR2');
  const { heapBytes, timers } = (await sidecar.logged('vitals')) as unknown as Vitals;
  return {
    heapBytes,
    timers,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    children: readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').length,
    journalBytes: statSync(join(sidecar.directory, '.update-lock/journal')).size,
    series,
    files: readdirSync(sidecar.folder, { recursive: true }).length,
  };
}
