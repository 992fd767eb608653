import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../../../server/text';
import { createContext, Script } from 'node:vm';

export type ParsedExpression = { readonly ok: true; readonly value: RegExp } | { readonly ok: false; readonly problem: string };

export type MatchResult = { readonly ok: true; readonly matches: boolean } | { readonly ok: false; readonly problem: string };

export const EXPRESSION_FORM = '"/regular expression/flags", with the flags i, m, s, u and g,';

const MAX_LENGTH = 1000;

/** A match stops everything else for at most this long; an ordinary one takes less than a millisecond. */
const MATCH_TIMEOUT_MS = 100;

/**
 * On a busy machine even an ordinary match may take longer by the clock, since it is not run meanwhile. One that has had less of
 * the processor than this is tried again.
 */
const ORDINARY_CPU_MS = 10;

const MAX_ATTEMPTS = 3;

/** Only a script can be stopped while it runs, so that an expression like `(a+)+$` may be matched in our own thread. */
const MATCH = new Script('expression.test(text)');

/** Reads `/regular expression/flags` as JavaScript writes it. The flag g changes nothing: one match is enough. */
export function parseExpression(text: string): ParsedExpression {
  const [, source = '', flags = ''] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? [];
  if (source === '') return wrong(`is not an expression; ${EXPRESSION_FORM} is allowed`);
  if (text.length > MAX_LENGTH) return wrong(`is too long; ${String(MAX_LENGTH)} characters are allowed`);
  if (!/^[imsug]*$/.test(flags) || new Set(flags).size < flags.length) {
    return wrong(`has wrong flags; each of i, m, s, u and g is allowed once`);
  }
  try {
    const value = new RegExp(source, flags.replace('g', ''));
    // V8 compiles it only now, and may find that it is too large.
    value.test('');
    return { ok: true, value };
  } catch (error) {
    // Without the expression itself, which V8 repeats.
    return wrong(`is not a regular expression: ${messageOf(error).replace(/^Invalid regular expression: \/.*\/[a-z]*: /s, '')}`);
  }
}

let lastMatch: Promise<unknown> = Promise.resolve();

/** Matches one text after the other, each in a turn of the event loop of its own, so that requests are answered in between. */
export function match(expression: RegExp, text: string): Promise<MatchResult> {
  const result = lastMatch.then(() => setImmediate()).then(() => matchNow(expression, text));
  lastMatch = result;
  return result;
}

function matchNow(expression: RegExp, text: string): MatchResult {
  const context = createContext({ expression, text });
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const before = process.cpuUsage();
    try {
      return { ok: true, matches: MATCH.runInContext(context, { timeout: MATCH_TIMEOUT_MS }) as boolean };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
        return { ok: false, problem: `its answer cannot be matched: ${messageOf(error)}` };
      }
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1000 > ORDINARY_CPU_MS) break;
    }
  }
  return { ok: false, problem: `matching its answer took longer than ${String(MATCH_TIMEOUT_MS)} ms` };
}

function wrong(problem: string): ParsedExpression {
  return { ok: false, problem };
}
