// Loaded into a sidecar before its own code: at SIGUSR2 it collects its garbage and writes what is left as a line of its log.
const { writeSync } = require('node:fs');
const { queryObjects, setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
const Timeout = setTimeout(() => undefined, 0).constructor;

process.on('SIGUSR2', () => {
  // An object that has to be finalised is gone only after the next one.
  for (let times = 0; times < 3; times += 1) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  writeSync(1, `${JSON.stringify({ message: 'vitals', heapBytes: heapUsed + external, timers: queryObjects(Timeout, { format: 'count' }) })}\n`);
});
