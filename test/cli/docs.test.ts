import { COMMANDS } from '../../client/src/cli/command-table';
import { readPage } from '../support/markdown';

test('every command and every option is in the reference', () => {
  for (const { name, options } of COMMANDS) {
    const row = readPage('docs/cli.md').split('\n').find((line) => line.startsWith(`| \`update-lock ${name}`));
    for (const option of options) expect([name, row]).toEqual([name, expect.stringContaining(`--${option.name}`)]);
  }
});
