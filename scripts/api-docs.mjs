// Makes docs/api.md from the OpenAPI document, which is made from the routes and schemas that serve the API.
// `--print` writes to standard output instead.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { unusedMeanings } from './api-meanings.mjs';
import { answersTable, cell, parametersTable, problems, schemaSection, variantNames } from './api-tables.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}docs/api.md`;

/** The order of the chapters, and how each operation is called. Every operation has to be here, and nothing else. */
const CHAPTERS = [
  ['Leases', {
    acquireLease: 'curl -X PUT http://update-lock:8080/v1/leases/recorder -d ttl=5m -d reason=recording',
    holdLease: "curl -N -X POST 'http://update-lock:8080/v1/leases/backup/hold?reason=nightly+backup&wait=10m'",
    getLease: 'curl http://update-lock:8080/v1/leases/recorder',
    listLeases: 'curl http://update-lock:8080/v1/leases',
    releaseLease: 'curl -X DELETE http://update-lock:8080/v1/leases/recorder',
  }],
  ['The lock and updates', {
    getLock: 'curl http://update-lock:8080/v1/lock',
    getUpdate: "curl 'http://update-lock:8080/v1/update?wait=1h'",
    requestUpdate: 'curl -X POST http://update-lock:8080/v1/update',
    getOverride: 'curl http://update-lock:8080/v1/override',
    putOverride: `curl -X PUT http://update-lock:8080/v1/override -H "Authorization: Bearer $UPDATE_LOCK_ADMIN_TOKEN" -d updates=allow -d for=2h -d reason='the fix for the pump'`,
    deleteOverride: 'curl -X DELETE http://update-lock:8080/v1/override -H "Authorization: Bearer $UPDATE_LOCK_ADMIN_TOKEN"',
    getFleet: 'curl http://update-lock:8080/v1/fleet',
    getHistory: 'curl http://update-lock:8080/v1/history',
    streamEvents: 'curl -N http://update-lock:8080/v1/events',
  }],
  ['The rest', {
    getMetrics: 'curl http://update-lock:8080/metrics',
    getHealth: 'curl http://update-lock:8080/healthz',
    getReadiness: 'curl http://update-lock:8080/readyz',
    getOpenapi: 'curl http://update-lock:8080/openapi.json',
    getStatusPage: 'curl http://update-lock:8080/',
    getShellClient: 'curl -o update-lock http://update-lock:8080/client.sh && chmod +x update-lock',
    getPythonClient: 'curl -o update_lock.py http://update-lock:8080/client.py',
  }],
];

const PREFACE = `# The HTTP API

Made by \`npm run docs\` from the OpenAPI document that every sidecar serves at \`GET /openapi.json\`; do not change it by hand.

The same API is served over TCP (\`http://update-lock:8080\`, by the name of the sidecar's service) and over the Unix socket:

\`\`\`sh
curl --unix-socket /run/update-lock/update-lock.sock http://localhost/v1/lock
\`\`\`

- Parameters come as JSON, as a form (\`curl -d\`) or in the query. An unknown parameter is refused.
- Times in answers are RFC 3339 in UTC. Lengths of time are in seconds, and their names say so.
- Where \`UPDATE_LOCK_API_TOKEN\` is set, operations marked "token" need \`Authorization: Bearer\` with it over TCP;
  [security.md](security.md) says more.
- Every error is an \`application/problem+json\`: a [Problem](#problem) with one of the [codes](#codes) below. A path or
  method that does not exist is answered with \`not-found\` or \`method-not-allowed\`.
- Limits that can be set are shown with their defaults.
`;

/** The document as a sidecar with default settings makes it. */
async function openapi() {
  const folder = mkdtempSync(join(tmpdir(), 'update-lock-docs-'));
  try {
    const outfile = join(folder, 'openapi.cjs');
    const contents = `
      import { openapiDocument } from './server/http/openapi';
      import { PROBLEMS } from './sidecar/http/problems';
      import { apiDescription } from './sidecar/http/api-description';
      import { routeTable } from './sidecar/http/route-table';
      import { readConfig } from './sidecar/config/config';
      const { defaultTtlMs, maxTtlMs } = readConfig({}, false).config;
      export const document = openapiDocument(routeTable({ limits: { minTtlMs: 1000, defaultTtlMs, maxTtlMs } }), apiDescription(''));
      export const problems = PROBLEMS;
    `;
    await build({ absWorkingDir: root, stdin: { contents, resolveDir: root }, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'warning' });
    return createRequire(import.meta.url)(outfile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { document, problems: PROBLEMS } = await openapi();
const schemas = document.components.schemas;
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [operation.operationId, { ...operation, title: `${method.toUpperCase()} ${path}` }]),
  ),
);
const shown = CHAPTERS.flatMap(([, examples]) => Object.keys(examples));
const differing = [...shown.filter((id) => !operations.has(id)), ...[...operations.keys()].filter((id) => !shown.includes(id))];
if (differing.length > 0) throw new Error(`scripts/api-docs.mjs and the document differ in ${differing.join(', ')}`);

function operationSection(operation, example) {
  return [
    `### ${operation.title}`,
    operation.summary + (operation.security.some((each) => 'apiToken' in each) ? ' *Token.*' : ''),
    `\`\`\`sh\n${example}\n\`\`\``,
    ...parametersTable(operation),
    answersTable(operation, schemas),
    problems(operation),
  ].join('\n\n');
}

const codes = Object.entries(PROBLEMS).sort(([, a], [, b]) => a.status - b.status);
const text = `${[
  PREFACE.trim(),
  ...CHAPTERS.flatMap(([title, examples]) => [
    `## ${title}`,
    ...Object.entries(examples).map(([id, example]) => operationSection(operations.get(id), example)),
  ]),
  '## Schemas',
  'Every field is always there, unless it is called optional.',
  ...Object.keys(schemas).map((name) => schemaSection(name, schemas, variantNames)),
  '## Codes',
  ['| code | status | means |', '| --- | --- | --- |', ...codes.map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${cell(title)} |`)].join('\n'),
].join('\n\n')}\n`;

if (unusedMeanings().length > 0) throw new Error(`scripts/api-meanings.mjs has fields that are not there: ${unusedMeanings().join(', ')}`);
if (process.argv.includes('--print')) process.stdout.write(text);
else if (readFileSync(target, { encoding: 'utf8', flag: 'a+' }) !== text) writeFileSync(target, text);
