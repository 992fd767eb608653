// npm run test:repeat -- TIMES FILE ...: runs tests again and again beside a process for each processor that keeps it busy, to
// find those that fail by chance. Ends with the number of runs that failed.
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const [times, ...files] = process.argv.slice(2);
if (!(Number(times) > 0) || files.length === 0) {
  console.error('usage: npm run test:repeat -- TIMES FILE ...');
  process.exit(64);
}
const busy = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ['-e', 'for (;;);']));
process.on('exit', () => { for (const each of busy) each.kill('SIGKILL'); });

let failed = 0;
for (let run = 1; run <= Number(times); run += 1) {
  const { status, stderr } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...files], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) {
    failed += 1;
    console.log(stderr);
  }
  console.log(`run ${String(run)} of ${times}: ${status === 0 ? 'passed' : 'failed'}, ${String(failed)} failed so far`);
}
process.exit(failed === 0 ? 0 : 1);
