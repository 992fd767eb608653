import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPage, REPOSITORY } from '../support/markdown';

/** Every name of a setting that a text has. */
const settingsIn = (text: string, prefix = 'UPDATE_LOCK_'): string[] =>
  [...new Set([...text.matchAll(new RegExp(`\\b${prefix}[A-Z_]*[A-Z]\\b`, 'g'))].map(([name]) => name))].sort();

test('the tables of settings are complete', () => {
  const rows = readPage('docs/settings.md').split('\n').filter((line) => line.startsWith('| `'));
  const names = settingsIn(rows.map((row) => row.split(' | ')[0]).join('\n'));
  const source = ['config', 'fleet-settings'].map((name) => readFileSync(join(REPOSITORY, `sidecar/config/${name}.ts`), 'utf8')).join('\n').replace(/^const CLIENT_VARIABLES = .*$/m, '');
  expect(names).toEqual(settingsIn(source));
});

test("the table of the coordinator's settings is complete", () => {
  const rows = readPage('docs/fleet.md').split('\n').filter((line) => line.startsWith('| `COORDINATOR_'));
  const names = settingsIn(rows.map((row) => row.split(' | ')[0]).join('\n'), 'COORDINATOR_');
  expect(names).toEqual(settingsIn(readFileSync(join(REPOSITORY, 'coordinator/config/config.ts'), 'utf8'), 'COORDINATOR_'));
});
