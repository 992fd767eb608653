// Loaded into a sidecar before its own code. Its wall clock is ahead by what the file WALL_CLOCK_AHEAD says, in milliseconds: libfaketime would double what a
// request costs. At SIGUSR2 it collects its garbage and writes what is left as a line of its log.
const { readFileSync, writeSync } = require('node:fs');
const { queryObjects, setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
const Timeout = setTimeout(() => undefined, 0).constructor;

const { now } = Date;
Date.now = () => now() + Number(readFileSync(process.env.WALL_CLOCK_AHEAD, 'latin1'));

process.on('SIGUSR2', () => {
  // An object that has to be finalised is gone only after the next one.
  for (let times = 0; times < 3; times += 1) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  writeSync(1, `${JSON.stringify({ message: 'vitals', heapBytes: heapUsed + external, timers: queryObjects(Timeout, { format: 'count' }) })}\n`);
});
