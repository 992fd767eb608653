// Runs all contenders in turns, so that a machine that gets slower meanwhile is slower for all of them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CONTENDERS } from './contenders.mjs';
import { startServers } from './servers.mjs';

const PROCESS = fileURLToPath(new URL('contender-process.mjs', import.meta.url));

class ContenderProcess {
  constructor(id, where) {
    this.process = fork(PROCESS, [id, JSON.stringify(where)], { serialization: 'advanced' });
    this.failed = once(this.process, 'exit').then(() => {
      throw new Error(`the process of ${id} has ended`);
    });
    // It ends in any case; whether too soon, a round can tell.
    this.failed.catch(() => undefined);
  }

  async round(count, ms) {
    const answered = once(this.process, 'message');
    this.process.send({ count, ms });
    const [result] = await Promise.race([answered, this.failed]);
    return result;
  }

  close() {
    this.process.disconnect();
  }
}

/** What became of one contender with so many clients. */
class Cell {
  #took = [];
  #seconds = 0;

  add({ took, seconds }) {
    this.#took.push(...took);
    this.#seconds += seconds;
  }

  isFull(ms) {
    return this.#seconds * 1000 >= ms;
  }

  /** Milliseconds, and pairs of acquire and release a second. */
  figures() {
    const sorted = this.#took.toSorted((a, b) => a - b);
    const quantile = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] / 1000;
    return { p50: quantile(0.5), p99: quantile(0.99), perSecond: sorted.length / this.#seconds, pairs: sorted.length };
  }
}

/**
 * @param counts of clients, each of which is a column
 * @param ms of each round
 * @returns for each contender its figures, in the order of `counts`
 */
export async function compare({ counts, rounds, ms, warmUpMs, contenders = CONTENDERS }) {
  const servers = await startServers();
  const runs = contenders.map((contender) => ({ contender, process: new ContenderProcess(contender.id, servers.where), cells: counts.map(() => new Cell()) }));
  try {
    for (const { process } of runs) await process.round(1, warmUpMs);
    for (let round = 0; round < rounds; round += 1) {
      for (const [column, count] of counts.entries()) {
        // A round of many processes may take as long as all rounds of the others.
        for (const { process, cells } of runs) if (!cells[column].isFull(rounds * ms)) cells[column].add(await process.round(count, ms));
      }
      console.log(`round ${round + 1} of ${rounds}`);
    }
  } finally {
    for (const { process } of runs) process.close();
    await servers.stop();
  }
  return runs.map(({ contender, cells }) => ({ ...contender, figures: cells.map((cell) => cell.figures()) }));
}
