// The licences of what others have written and the bundle contains: most of them ask to be passed on with every copy.
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/** The text of LICENSES.txt, made from the files that a bundle is made from. Throws if a package has no licence to pass on. */
export function licencesOf(root, inputs) {
  const folders = new Set(inputs.map((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0]).filter(Boolean));
  const packages = [...folders].map((folder) => readPackage(realpathSync(join(root, folder))));
  const byTitle = new Map(packages.sort((a, b) => (a.title < b.title ? -1 : 1)).map(({ title, text }) => [title, text]));
  const parts = [...byTitle].map(([title, text]) => `${'='.repeat(80)}\n${title}\n\n${text}\n`);
  return ['main.js contains these packages, each under its own licence.\n', ...parts].join('\n');
}

function readPackage(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${name} ${version} names no licence`);
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file)).sort();
  const by = typeof author === 'object' ? author?.name : author;
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  if (texts.length === 0) texts.push(`Its author${by === undefined ? '' : `, ${by},`} has put it under the licence ${license} without a copy of that.`);
  return { title: `${name} ${version} (${license})`, text: texts.join('\n\n') };
}
