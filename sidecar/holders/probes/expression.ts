import { RE2JS } from 're2js';

/** An expression as RE2 writes it, and what it costs at most. */
export interface Expression {
  /** With its flags in front. */
  readonly program: string;
  /** Instructions that it is compiled to: each character may cost a step of each of them. */
  readonly size: number;
}

export type ParsedExpression =
  | { readonly ok: true; readonly value: Expression }
  | { readonly ok: false; readonly problem: string };

export const EXPRESSION_FORM = '"/regular expression/flags", with the flags i, m, s, u and g,';

const MAX_LENGTH = 1000;
const MAX_SIZE = 2000;

/**
 * Reads `/regular expression/flags` as JavaScript writes it. It is matched by RE2, in time that grows with the text and
 * not by its power: what RE2 does not have, lookaheads and backreferences, is refused. The flags u and g change nothing:
 * characters are always whole, and whether it matches anywhere needs one match.
 */
export function parseExpression(text: string): ParsedExpression {
  const [, source = '', flags = ''] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? [];
  if (source === '') return wrong(`is not an expression; ${EXPRESSION_FORM} is allowed`);
  if (text.length > MAX_LENGTH) return wrong(`is too long; ${String(MAX_LENGTH)} characters are allowed`);
  if (!/^[imsug]*$/.test(flags) || new Set(flags).size < flags.length) {
    return wrong(`has wrong flags; each of i, m, s, u and g is allowed once`);
  }
  // What RE2 alone knows would surprise whoever tries the expression elsewhere.
  let native: RegExp;
  try {
    native = new RegExp(source, flags.replace('g', ''));
  } catch (error) {
    return wrong(`is not a regular expression: ${reasonOf(error)}`);
  }
  const strange = strangeEscape(source, flags.includes('u'));
  if (strange !== null) return wrong(`has ${strange} in it, which is not allowed here: it is no class, character or boundary of JavaScript's`);
  try {
    const program = RE2JS.translateRegExp(native);
    const size = RE2JS.compile(program, RE2JS.LOOKBEHINDS).programSize();
    if (size > MAX_SIZE) return wrong(`is too large: ${String(size)} steps for each character; ${String(MAX_SIZE)} are allowed`);
    return { ok: true, value: { program, size } };
  } catch (error) {
    return wrong(`cannot be used: ${reasonOf(error)}; no lookaheads and backreferences are allowed, since they may take for ever`);
  }
}

/** Compiled each time, which takes less than a millisecond: what it remembers between matches may be megabytes. */
export function matches(program: string, text: string): boolean {
  return RE2JS.compile(program, RE2JS.LOOKBEHINDS).test(text);
}

/** The first escape that RE2 takes for something else than JavaScript does; null if there is none. */
function strangeEscape(source: string, isUnicode: boolean): string | null {
  const known = isUnicode ? /^\\(?:[bBcdDfnrsStvwWpP]|x[^{]|u.|[^A-Za-z])/s : /^\\(?:[bBcdDfnrsStvwW]|[xu][^{]|[^A-Za-z])/s;
  for (const [escape] of source.matchAll(/\\(?:[xu]?.)/gs)) if (!known.test(escape)) return escape;
  return /\[\[:\w+:\]/.exec(source)?.[0] ?? null;
}

function wrong(problem: string): ParsedExpression {
  return { ok: false, problem };
}

/** Without the expression itself, which V8 repeats. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Invalid regular expression: \/.*\/[a-z]*: /s, '').replace(/^error parsing regexp: /, '');
}
