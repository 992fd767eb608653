// Builds what `npm run build` promises: dist/sidecar/ and dist/coordinator/, each as one file, and client/dist/.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licencesOf } from './licences.mjs';
import { buildPage } from './status-page.mjs';

/**
 * Express loads these and the sidecar never uses them: they parse bodies and queries, serve files and list media types.
 * Without them the API answers 15 ms sooner (of about 120) and the process takes 4 MiB less (of about 65), measured on
 * Node.js 24 with its compile cache. Without this, the idle memory on Node.js 20 would be over its budget. The last is there only
 * because tools of the development need it, and would be in the bundle by accident.
 */
const UNUSED_PACKAGES = ['body-parser', 'mime-db', 'qs', 'send', 'supports-color'];

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** The same sources at the same SOURCE_DATE_EPOCH make the same file: https://reproducible-builds.org/specs/source-date-epoch/ */
const { SOURCE_DATE_EPOCH } = process.env;
if (SOURCE_DATE_EPOCH && !/^\d{1,12}$/.test(SOURCE_DATE_EPOCH)) throw new Error('SOURCE_DATE_EPOCH is not a number of seconds');
const builtAtMs = SOURCE_DATE_EPOCH ? Number(SOURCE_DATE_EPOCH) * 1000 : Date.now();

const page = await buildPage(root, version, 'sidecar/page');
const coordinatorPage = await buildPage(root, version, 'coordinator/page');

rmSync(`${root}dist`, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['sidecar/main.ts', 'coordinator/main.ts'],
  metafile: true,
  outdir: 'dist',
  outbase: '.',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  alias: Object.fromEntries(UNUSED_PACKAGES.map((name) => [name, `${root}scripts/left-out.cjs`])),
  define: {
    'process.env.NODE_ENV': '"production"',
    __VERSION__: JSON.stringify(version),
    __BUILT_AT_MS__: String(builtAtMs),
    __STATUS_PAGE__: JSON.stringify(page.html),
    __STATUS_PAGE_POLICY__: JSON.stringify(page.policy),
    __COORDINATOR_PAGE__: JSON.stringify(coordinatorPage.html),
    __COORDINATOR_PAGE_POLICY__: JSON.stringify(coordinatorPage.policy),
    __CLIENT_SH__: JSON.stringify(readFileSync(`${root}client/sh/update-lock`, 'utf8')),
    __CLIENT_PY__: JSON.stringify(readFileSync(`${root}client/python/update_lock.py`, 'utf8')),
  },
  logLevel: 'warning',
});

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
