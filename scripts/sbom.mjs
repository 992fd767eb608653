// Writes dist/sbom.cdx.json: what the sidecar is made of, in CycloneDX, from package-lock.json. The same lock file makes the same bytes.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const sbom = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));

// npm's own `--omit dev` leaves out as well what both the sidecar and a tool need.
const { name, packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
const shipped = Object.entries(packages).filter(([path, { link, dev, devOptional }]) => path !== '' && !link && !dev && !devOptional);
const references = new Set(shipped.map(([path, { name: own = path.replace(/^.*node_modules\//, ''), version }]) => `${own}@${version}`));
const isShipped = (reference) => references.has(reference) || reference === sbom.metadata.component['bom-ref'];
sbom.components = sbom.components.filter((component) => isShipped(component['bom-ref']));
sbom.dependencies = sbom.dependencies.filter(({ ref }) => isShipped(ref));
for (const dependency of sbom.dependencies) dependency.dependsOn = dependency.dependsOn.filter(isShipped).sort();
// Not that of the folder.
sbom.metadata.component.name = name;

// What npm makes anew each time: when, by which npm, under which number.
delete sbom.metadata.timestamp;
delete sbom.metadata.tools;
delete sbom.serialNumber;
const byReference = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);
sbom.components.sort(byReference('bom-ref'));
sbom.dependencies.sort(byReference('ref'));

const digest = createHash('sha256').update(JSON.stringify(sbom)).digest('hex');
const [, a, b, c, d, e] = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(digest);
sbom.serialNumber = `urn:uuid:${a}-${b}-8${c}-8${d}-${e}`;

mkdirSync(`${root}dist`, { recursive: true });
writeFileSync(`${root}dist/sbom.cdx.json`, `${JSON.stringify(sbom, null, 2)}\n`);
