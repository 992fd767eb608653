import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { readCodeCache } from './code-cache';
import { markAtOneGo } from './engine';
import type * as Main from './main';

/** For the build, which makes the cache. */
export { withChecksums } from './code-cache';

/** What the bundle exports. */
export type Sidecar = typeof Main;

type Module = (exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string) => void;

/** As Node.js wraps a CommonJS module. */
const [HEAD, TAIL] = ['(function (exports, require, module, __filename, __dirname) {', '\n})'];

/** The bundle: no character beyond ASCII, and no `import()`, which a script cannot do. */
const BUNDLE = join(__dirname, 'sidecar.js');

/**
 * Loads the bundle as `require` would, but with V8's code cache from the build: half of a start would be V8 reading the
 * bundle otherwise.
 */
export function load(): { readonly script: Script; readonly source: Buffer; readonly sidecar: Sidecar } {
  // Before all else, also because V8 takes a cache only under the flags under which it was made.
  markAtOneGo();
  const source = readFileSync(BUNDLE);
  const script = new Script(`${HEAD}${source.toString('latin1')}${TAIL}`, {
    filename: BUNDLE,
    columnOffset: -HEAD.length,
    cachedData: readCodeCache(__dirname, source),
  });
  const module = { exports: {} };
  (script.runInThisContext() as Module)(module.exports, require, module, BUNDLE, __dirname);
  return { script, source, sidecar: module.exports as Sidecar };
}

if (require.main === module) void load().sidecar.main();
