// Makes a page of a server one document: its style and its script in it, each allowed by its hash and nothing else.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

/** Browsers of the last years, on phones too. */
const BROWSERS = ['chrome109', 'firefox115', 'safari16.4'];

/**
 * @param folder where page.html, style.css and main.ts are
 * @returns the page, and the Content-Security-Policy to send with it: it talks to the server it came from and to nobody else,
 *   and its script cannot make elements of text
 */
export async function buildPage(root, version, folder) {
  const style = await bundle(root, `${root}${folder}/style.css`);
  const script = await bundle(root, `${root}${folder}/main.ts`);
  if (script.includes('</script') || style.includes('</style')) throw new Error('the page would end its own script or style');
  const html = readFileSync(`${root}${folder}/page.html`, 'utf8')
    .replaceAll(/\n\s*/g, '\n')
    .replaceAll('{{version}}', () => version)
    .replace('{{style}}', () => style)
    .replace('{{script}}', () => script);
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, policy };
}

async function bundle(root, entryPoint) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    format: 'iife',
    target: BROWSERS,
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outputFiles[0].text.trim();
}

function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
