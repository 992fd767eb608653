import { readFileSync } from 'node:fs';
import type { Page } from './page';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Everything that axe knows, the best practices included, in both colour schemes. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.run(`${AXE}; undefined`);
  for (const scheme of ['light', 'dark'] as const) {
    await page.setScheme(scheme);
    const violations = (await page.run(
      'axe.run().then(({ violations }) => violations.map(({ id, help, nodes }) => [id, help, ...nodes.map(({ html }) => html)].join(" | ")))',
    )) as string[];
    expect([scheme, ...violations]).toEqual([scheme]);
  }
}
