// Measures the sidecar beside everything else that locks, in one run, and prints the tables. --quick: in a minute, to see whether it works.
// --write: also writes them into docs/performance.md, and the plots beside it. --only ID,ID: these contenders, and nothing else.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compare } from './compare.mjs';
import { CONTENDERS } from './contenders.mjs';
import { Idle } from './idle.mjs';
import { latencyPlot, memoryPlot } from './plots.mjs';
import { amongLeases, amongStreams, bareMemory, imageBytes, memoryOver, startTimes, untilAllAreGranted } from './sidecar-figures.mjs';
import { contendersTable, goalsTable, memoryAt, sidecarTable } from './tables.mjs';

const FULL = { counts: [1, 32, 256], rounds: 4, ms: 400, warmUpMs: 1000, starts: 15, requests: 1_000_000, amongRounds: 10 };
const QUICK = { counts: [1, 32], rounds: 1, ms: 200, warmUpMs: 200, starts: 1, requests: 20_000, amongRounds: 1 };

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
/** How busy the machine was with other work. */
const [loadAtStart] = loadavg();
const [BEGIN, END] = ['<!-- peers: begin -->', '<!-- peers: end -->'];

async function all(effort, isToWrite) {
  const results = await measure(effort);
  const tables = [machine(), contendersTable(effort.counts, results.contenders), goalsTable(goalsOf(effort.counts, results)), sidecarTable(results)];
  console.log(`\n${tables.join('\n\n')}`);
  if (isToWrite) write(tables, { latency: latencyPlot(effort.counts, results.contenders), memory: memoryPlot(results.memory) });
}

async function some(effort, ids) {
  const contenders = CONTENDERS.filter(({ id }) => ids.includes(id));
  console.log(contendersTable(effort.counts, await compare({ ...effort, contenders })));
}

async function measure({ starts, requests, amongRounds, ...comparison }) {
  const said = (what, result) => {
    console.log(`${what} after ${Math.round(performance.now() / 1000)} s`);
    return result;
  };
  const start = said('start', await startTimes(starts));
  const idle = await Idle.start();
  try {
    const contenders = said('contenders', await compare(comparison));
    const leases = said('leases', await amongLeases([10, 1000, 9000], amongRounds));
    const streams = said('streams', await amongStreams([0, 100, 900], amongRounds));
    const waiters = said('waiters', await untilAllAreGranted([10, 100, 900]));
    const memory = said('memory', await memoryOver(requests));
    return { start, contenders, leases, streams, waiters, memory, bareMemory: await bareMemory(), idle: idle.figures(), image: imageBytes() };
  } finally {
    await idle.stop();
  }
}

/** What users would notice. */
function goalsOf(counts, { contenders, memory }) {
  const figures = (id, count) => contenders.find((contender) => contender.id === id).figures[counts.indexOf(count)];
  return [
    { what: 'the library, beside its two requests by `node:http`: p50, 1 client', limit: 1.25, measured: figures('library', 1).p50 / figures('socket', 1).p50 },
    { what: 'two requests by `node:http`, beside the bare server: p99, 32 clients', limit: 3, measured: figures('socket', 32).p99 / figures('bare', 32).p99 },
    { what: 'own memory after all requests, beside a tenth of them', limit: 1.1, measured: memory.at(-1).ownMib / memoryAt(memory, 0.1).ownMib },
  ];
}

function machine() {
  const [{ model }] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return `Measured on ${date}: ${cpus().length} cores (${model.trim()}), ${gib} GiB, Linux ${release()}, Node.js ${process.versions.node}. Load average before: ${loadAtStart.toFixed(1)}.`;
}

function write(tables, plots) {
  const path = `${DOCS}performance.md`;
  const page = readFileSync(path, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before === -1 || after < before) throw new Error(`${path} has no place for the tables`);
  writeFileSync(path, `${page.slice(0, before)}${BEGIN}\n\n${tables.join('\n\n')}\n\n${page.slice(after)}`);
  for (const [name, plot] of Object.entries(plots)) writeFileSync(`${DOCS}images/peers-${name}.svg`, plot);
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } } });
const effort = values.quick ? QUICK : FULL;
if (values.only === undefined) await all(effort, values.write);
else await some(effort, values.only.split(','));
