import { execFileSync } from 'node:child_process';
import { mistakesOf } from '../unit/read-config';
import { balenaMistakes } from '../support/balena-compose';
import { blocksOf, PAGES } from '../support/markdown';

/** Whatever is not one of these might be a block for a shell that nobody runs. */
const LANGUAGES = ['bash', 'c', 'csharp', 'dockerfile', 'go', 'java', 'js', 'json', 'mermaid', 'python', 'rust', 'sh', 'text', 'ts', 'yaml'];

/** Indented blocks, which have no language: none of these pages may have one for a shell. */
const WITH_INDENTED = ['docs/architecture.md', 'docs/windows-and-probes.md'];

const BLOCKS = PAGES.flatMap(blocksOf);
const fenced = BLOCKS.filter(({ language }) => language !== '');
const titled = (wanted: string): [string, string][] =>
  fenced.filter(({ language }) => language === wanted).map(({ page, heading, text }) => [`${page}, ${heading}`, text]);

test('every block says in which language it is', () => {
  expect(fenced.filter(({ language }) => !LANGUAGES.includes(language))).toEqual([]);
  expect(BLOCKS.filter(({ language, page }) => language === '' && !WITH_INDENTED.includes(page))).toEqual([]);
});

/** The variables of the sidecar, however deep they are. */
function settingsIn(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) =>
    key.startsWith('UPDATE_LOCK_') ? { [key]: String(inner) } : settingsIn(inner))) as Record<string, string>;
}

test.each(titled('yaml'))('YAML: %s', (_title, text) => {
  const parsed: unknown = JSON.parse(execFileSync('yq', ['.'], { input: text, encoding: 'utf8' }));
  expect(mistakesOf(settingsIn(parsed))).toEqual([]);
});

test.each(titled('json'))('JSON: %s', (_title, text) => {
  expect(JSON.parse(text)).toEqual(expect.anything());
});

test.each(titled('yaml').filter(([title, text]) => /^(README|docs\/getting-started)/.test(title) && text.includes('build:')))('balena takes the compose file: %s', (_title, text) => {
  const project = JSON.parse(execFileSync('yq', ['.'], { input: text, encoding: 'utf8' })) as Record<string, unknown>;
  expect(balenaMistakes('', project)).toEqual([]);
});
