// Builds what `npm run build` promises: dist/sidecar/, the bundle and what starts it, and client/dist/.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { makeCodeCache } from './code-cache.mjs';
import { licencesOf } from './licences.mjs';
import { buildStatusPage } from './status-page.mjs';

/**
 * Express and prom-client load these when they are loaded, for what the sidecar never asks of them: parsing bodies and
 * queries, serving files, guessing media types, signing cookies, pushing metrics, measuring the event loop. With their
 * tables, and node:crypto, node:https and node:perf_hooks, which they load, they would be half of the bundle, and cost 6 MiB
 * of memory and a fifth of the start.
 */
const LEFT_OUT = {
  packages: /^(@opentelemetry\/api|body-parser|cookie-signature|etag|mime-db|qs|send|serve-static|supports-color)$/,
  promClient: /^\.\/lib\/(cluster|defaultMetrics|metricAggregators|pushgateway|summary)$/,
};

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** The same sources at the same SOURCE_DATE_EPOCH make the same file: https://reproducible-builds.org/specs/source-date-epoch/ */
const { SOURCE_DATE_EPOCH } = process.env;
if (SOURCE_DATE_EPOCH && !/^\d{1,12}$/.test(SOURCE_DATE_EPOCH)) throw new Error('SOURCE_DATE_EPOCH is not a number of seconds');
const builtAtMs = SOURCE_DATE_EPOCH ? Number(SOURCE_DATE_EPOCH) * 1000 : Date.now();

const leaveOut = {
  name: 'leave-out',
  setup: ({ onResolve }) => {
    const leftOut = { path: `${root}scripts/left-out.cjs` };
    onResolve({ filter: LEFT_OUT.packages }, () => leftOut);
    onResolve({ filter: LEFT_OUT.promClient }, ({ importer }) => (importer.endsWith('/prom-client/index.js') ? leftOut : undefined));
  },
};

const page = await buildStatusPage(root, version);

rmSync(`${root}dist`, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { sidecar: 'sidecar/main.ts', main: 'sidecar/start.ts' },
  metafile: true,
  outdir: 'dist/sidecar',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  // What start.ts relies on.
  charset: 'ascii',
  supported: { 'dynamic-import': false },
  plugins: [leaveOut],
  define: {
    'process.env.NODE_ENV': '"production"',
    __VERSION__: JSON.stringify(version),
    __BUILT_AT_MS__: String(builtAtMs),
    __STATUS_PAGE__: JSON.stringify(page.html),
    __STATUS_PAGE_POLICY__: JSON.stringify(page.policy),
    __CLIENT_SH__: JSON.stringify(readFileSync(`${root}client/sh/update-lock`, 'utf8')),
    __CLIENT_PY__: JSON.stringify(readFileSync(`${root}client/python/update_lock.py`, 'utf8')),
  },
  logLevel: 'warning',
});

makeCodeCache(root);
writeFileSync(`${root}dist/sidecar/LICENSES.txt`, licencesOf(root, Object.keys(metafile.inputs)));

rmSync(`${root}client/dist`, { recursive: true, force: true });
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}client`], { stdio: 'inherit' });

// The command in two files, which load faster than many: what `run` needs, and all the rest. `.cjs` says what they are, so
// that Node.js need not look for a package.json that does.
const OTHERS = 'cli-others';
const apart = {
  name: 'apart',
  setup: ({ onResolve }) => onResolve({ filter: /\/other-commands\.js$/ }, () => ({ path: `./${OTHERS}.cjs`, external: true })),
};
rmSync(`${root}client/dist/cli`, { recursive: true });
rmSync(`${root}client/dist/cli.js`);
rmSync(`${root}client/dist/cli.d.ts`);
const { version: clientVersion } = JSON.parse(readFileSync(`${root}client/package.json`, 'utf8'));
await build({
  absWorkingDir: root,
  entryPoints: { cli: 'client/src/cli.ts', [OTHERS]: 'client/src/cli/other-commands.ts' },
  outdir: 'client/dist',
  outExtension: { '.js': '.cjs' },
  plugins: [apart],
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  define: { __VERSION__: JSON.stringify(clientVersion) },
  logLevel: 'warning',
});
chmodSync(`${root}client/dist/cli.cjs`, 0o755);
