import * as z from 'zod/mini';
import { quote } from '../text';

/** Says what it means, for the OpenAPI document. A schema of its own, since others may use the one that is given. */
export function describe<S extends z.ZodMiniType>(schema: S, description: string, jsonSchema: object = {}): S {
  const described = schema.clone(undefined, { parent: true });
  z.globalRegistry.add(described, { description, ...jsonSchema });
  return described;
}

/** Says that a value is missing, or else what is wrong with it, and what is allowed. */
export function wrongValue(input: unknown, wrong: string, allowed: string): string {
  return `${input === undefined ? 'is missing' : `${quote(input)} ${wrong}`}; ${allowed}`;
}

/** A map, since an object has more names than its own. */
const FLAGS: ReadonlyMap<string, boolean> = new Map([['true', true], ['1', true], ['yes', true], ['false', false], ['0', false], ['no', false]]);

/** True or false, also as the text that a query or a form has. */
export function flag(description: string) {
  return describe(
    z.pipe(
      z.union([z.boolean(), z.string()], { error: ({ input }) => `${quote(input)} is neither true nor false` }),
      z.transform((value: boolean | string, context) => {
        const read = typeof value === 'boolean' ? value : FLAGS.get(value.toLowerCase());
        if (read !== undefined) return read;
        context.issues.push({ code: 'custom', input: value, message: `${quote(value)} is neither true nor false` });
        return z.NEVER;
      }),
    ),
    description,
    { anyOf: [{ type: 'boolean' }, { type: 'string', pattern: anyCase([...FLAGS.keys()]) }] },
  );
}

/** An expression for these words, for dialects that cannot be told to ignore the case. */
function anyCase(words: readonly string[]): string {
  const letters = words.map((word) => word.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`));
  return `^(?:${letters.join('|')})$`;
}

/** A whole number from 0 to a limit, also as the text that a query or a form has. */
export function wholeNumber(max: number, description: string) {
  return describe(
    z.pipe(
      z.union([z.number(), z.string()], { error: ({ input }) => `${quote(input)} is not a number` }),
      z.transform((value: number | string, context) => {
        const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
        if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= max) return number;
        context.issues.push({ code: 'custom', input: value, message: `${quote(value)} is not a whole number from 0 to ${String(max)}` });
        return z.NEVER;
      }),
    ),
    description,
    { anyOf: [{ type: 'integer', minimum: 0, maximum: max }, { type: 'string', pattern: '^[0-9]{1,16}$' }] },
  );
}
