import { linksOf, mistakeIn, PAGES } from '../support/markdown';

test.each(PAGES)('every link of %s leads somewhere', (page) => {
  const mistakes = linksOf(page).map((link) => [link, mistakeIn(link, page)]).filter(([, mistake]) => mistake !== null);
  expect(mistakes).toEqual([]);
});

test.each([
  ['docs/none.md', 'leads to no file'],
  ['docs/cli.md#none', 'leads to no heading'],
  ['#none', 'leads to no heading'],
  ['../elsewhere', 'leads out of the repository'],
  ['http://example.com', 'is not an https address'],
  ['https://', 'is not an https address'],
  ['docs/cli.md#exits', null],
  ['LICENSE', null],
])('%s %s', (link, mistake) => {
  expect(mistakeIn(link, 'README.md')).toBe(mistake);
});

test('the documentation is what is looked at', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'docs/api.md', 'docs/security.md', 'client/README.md', 'client/python/README.md', 'client/sh/README.md', 'examples/monitoring/README.md']));
  expect(linksOf('README.md').length).toBeGreaterThan(10);
});
