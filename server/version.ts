declare const __VERSION__: string | undefined;

/** The version, as in package.json; `dev` when it was not built. */
export const VERSION = typeof __VERSION__ === 'undefined' ? 'dev' : __VERSION__;
