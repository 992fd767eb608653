import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { readPage, REPOSITORY } from '../support/markdown';

test('docs/api.md is what `npm run docs` makes', () => {
  expect(readPage('docs/api.md')).toBe(execFileSync(process.execPath, [join(REPOSITORY, 'scripts/api-docs.mjs'), '--print'], { encoding: 'utf8' }));
});
