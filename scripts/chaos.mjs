// npm run chaos -- [--minutes N] [FILE ...]: disturbs everything for so long (one minute if not given), in all tests of test/chaos or those named, and prints what was done.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ options: { minutes: { type: 'string', default: '1' } }, allowPositionals: true });
const seconds = Number(values.minutes) * 60;
if (!(seconds > 0)) {
  console.error('usage: npm run chaos -- [--minutes N] [FILE ...]');
  process.exit(64);
}
const files = positionals.length > 0 ? positionals : ['test/chaos/'];
const { status } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...files], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, CHAOS_SECONDS: String(seconds) },
  stdio: 'inherit',
});
process.exit(status ?? 1);
