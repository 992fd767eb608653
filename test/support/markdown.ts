import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const REPOSITORY = resolve(__dirname, '../..');

/** What others have written, or what is made. */
const NOT_OURS = new Set(['.git', 'dist', 'node_modules']);

/** Every page of documentation, by its path in the repository. */
export const PAGES = pagesIn('').sort();

function pagesIn(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : pagesIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

export interface Block {
  /** Of the page. */
  readonly page: string;
  /** What follows the opening fence; empty for an indented block. */
  readonly language: string;
  readonly text: string;
  /** The heading that it stands under. */
  readonly heading: string;
}

export function readPage(page: string): string {
  return readFileSync(join(REPOSITORY, page), 'utf8');
}

/** The fenced and the indented blocks of code of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  for (const [whole, title, , language = '', fenced] of readPage(page).matchAll(/^#+ (.+)$|^(`{3,})([^\n]*)\n([^]*?)^\2$|(?<=\n\n)(?: {4}.*\n+)+/gm)) {
    if (title !== undefined) heading = title;
    else blocks.push({ page, heading, language, text: fenced ?? whole.replace(/^ {4}/gm, '') });
  }
  return blocks;
}

/** The text without its blocks of code and what is code in its lines: what Markdown finds links in. */
function prose(page: string): string {
  return readPage(page).replace(/^(`{3,})[^]*?^\1$/gm, '').replace(/(`+)[^`\n](?:[^\n]*?[^`\n])??\1(?!`)/g, 'code');
}

/** Where the links and images of a page lead, as they are written. */
export function linksOf(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)|<(https?:[^>]+)>/g)].map(([, link, address]) => link ?? address ?? '');
}

/** The anchors that GitHub makes of the headings of a page. */
export function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>();
  return [...readPage(page).replace(/^(`{3,})[^]*?^\1$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => {
    const slug = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${String(times)}`;
  });
}

/** What is wrong with a link from a page; null if it leads somewhere. Addresses outside are only looked at. */
export function mistakeIn(link: string, page: string): string | null {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return URL.canParse(link) && link.startsWith('https://') ? null : 'is not an https address';
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), decodeURI(path));
  if (target.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(REPOSITORY, target))) return 'leads to no file';
  if (anchor !== undefined && !anchorsOf(target).includes(anchor)) return 'leads to no heading';
  return null;
}
