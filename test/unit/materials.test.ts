import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const PRODUCTION = Object.keys((JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { dependencies: object }).dependencies);

interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly { readonly 'bom-ref': string; readonly name: string; readonly version: string; readonly purl: string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** `@scope/name 1.2.3 (MIT)` of each package in the bundle, with the text that follows. */
function licences(): Map<string, string> {
  const [, ...parts] = readFileSync(resolve(ROOT, 'dist/sidecar/LICENSES.txt'), 'utf8').split(/^={80}$/m);
  return new Map(parts.map((part) => [part.trim().split('\n')[0] ?? '', part.trim().split('\n').slice(1).join('\n').trim()]));
}

function makeSbom(): string {
  execFileSync(process.execPath, ['scripts/sbom.mjs'], { cwd: ROOT, stdio: 'ignore' });
  return readFileSync(resolve(ROOT, 'dist/sbom.cdx.json'), 'utf8');
}

test('the licence of every package in the bundle goes with it', () => {
  const all = licences();
  for (const name of PRODUCTION) expect([...all.keys()].filter((title) => title.startsWith(`${name} `))).toHaveLength(1);
  for (const [title, text] of all) {
    expect(title).toMatch(/^(@[\w.-]+\/)?[\w.-]+ \d+\.\d+\.\d+\S* \((MIT|ISC|Apache-2\.0|BSD-[23]-Clause)\)$/);
    expect(text).toMatch(/permission|license|copyright/i);
  }
});

describe('the bill of materials', () => {
  const text = makeSbom();
  const sbom = JSON.parse(text) as Sbom;

  test('is CycloneDX, of update-lock', () => {
    expect([sbom.bomFormat, sbom.metadata.component.name]).toEqual(['CycloneDX', 'update-lock']);
  });

  test('names the dependencies in production and everything in the bundle, and no tool', () => {
    const names = sbom.components.map(({ name, version }) => `${name} ${version}`);
    for (const name of PRODUCTION) expect(sbom.components.map((component) => component.name)).toContain(name);
    for (const title of licences().keys()) expect(names).toContain(title.replace(/ \(.*/, ''));
    for (const tool of ['jest', 'esbuild', 'eslint', 'typescript', 'axe-core']) expect(sbom.components.map(({ name }) => name)).not.toContain(tool);
  });

  test('refers only to what it contains', () => {
    const references = new Set(sbom.dependencies.map(({ ref }) => ref));
    for (const { dependsOn } of sbom.dependencies) for (const reference of dependsOn) expect(references).toContain(reference);
    for (const component of sbom.components) expect(references).toContain(component['bom-ref']);
  });

  test('is the same each time, and tells nothing of where it was made', () => {
    expect(makeSbom()).toBe(text);
    expect(text).not.toContain(ROOT);
  });
});
