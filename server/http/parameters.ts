import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type * as z from 'zod/mini';
import { HTTP_PROBLEMS, type FieldError, type Problem } from './problem';
import { messageOf, quote } from '../text';

/** The longest body, in bytes. */
export const MAX_BODY_BYTES = 16 * 1024;

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem; readonly detail: string; readonly errors?: readonly FieldError[] };

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const FOR_JSON = `; for JSON, send "Content-Type: ${JSON_TYPE}"`;
const MEDIA_TYPES: ReadonlySet<string> = new Set([JSON_TYPE, FORM_TYPE]);

const NO_BODY = Buffer.alloc(0);

/** Without a prototype, so that `__proto__` is a name like any other. */
type RawParameters = Record<string, unknown>;

/** The parameters cannot be read at all. */
class Unreadable extends Error {
  constructor(
    readonly problem: Problem,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Reads a request's parameters, from the query and from a body in JSON or as a form. Express's parsers cost as much as the rest of a
 * request together, and accept what must be refused here: the same parameter twice, a repeated field of a form, a compressed body.
 * @param isAlwaysJson the body is JSON, whatever its type is said to be
 * @param deliver called once, unless the client goes away first; at once if there is no body
 */
export function readParameters<S extends z.ZodMiniType>(
  request: IncomingMessage,
  schema: S,
  isAlwaysJson: boolean,
  deliver: (read: Read<z.output<S>>) => void,
): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) {
    deliver(parse(request, NO_BODY, schema, isAlwaysJson));
    return;
  }
  if (Number(length) > MAX_BODY_BYTES) {
    deliver(tooLarge());
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (size - chunk.length <= MAX_BODY_BYTES) deliver(tooLarge());
  });
  request.on('end', () => {
    if (size <= MAX_BODY_BYTES) deliver(parse(request, chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks), schema, isAlwaysJson));
  });
}

function parse<S extends z.ZodMiniType>(request: IncomingMessage, body: Buffer, schema: S, isAlwaysJson: boolean): Read<z.output<S>> {
  try {
    const raw = Object.create(null) as RawParameters;
    const url = request.url ?? '';
    const queryAt = url.indexOf('?');
    if (queryAt !== -1) addForm(raw, url.slice(queryAt + 1));
    if (body.length > 0) addBody(raw, request.headers, decodeUtf8(body), isAlwaysJson);
    return validate(schema, raw);
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, problem: error.problem, detail: error.message };
    throw error;
  }
}

function addBody(raw: RawParameters, headers: IncomingMessage['headers'], body: string, isAlwaysJson: boolean): void {
  const { 'content-type': contentType = '', 'content-encoding': contentEncoding } = headers;
  if (contentEncoding !== undefined && contentEncoding !== 'identity') {
    throw new Unreadable(HTTP_PROBLEMS['unsupported-media-type'], `Content-Encoding ${quote(contentEncoding)} is not understood.`);
  }
  const mediaType = isAlwaysJson ? JSON_TYPE : MEDIA_TYPES.has(contentType) ? contentType : readMediaType(contentType);
  if (mediaType === JSON_TYPE) addJson(raw, body);
  else if (mediaType === FORM_TYPE) addForm(raw, body);
  else {
    throw new Unreadable(
      HTTP_PROBLEMS['unsupported-media-type'],
      `A body of type ${quote(contentType)} is not understood; application/json and application/x-www-form-urlencoded are.`,
    );
  }
}

/** The media type without its parameters, of which only the character set matters. */
function readMediaType(contentType: string): string {
  const [mediaType = '', ...mediaParameters] = contentType.toLowerCase().split(';').map((part) => part.trim());
  const charset = mediaParameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new Unreadable(HTTP_PROBLEMS['unsupported-media-type'], `The body's ${charset} is not understood; only UTF-8 is.`);
  }
  return mediaType;
}

function addJson(raw: RawParameters, body: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    throw new Unreadable(HTTP_PROBLEMS.malformed, `The body is not JSON: ${messageOf(error)}.`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Unreadable(HTTP_PROBLEMS.malformed, `The body is ${quote(parsed)}; it has to be a JSON object.`);
  }
  for (const [field, value] of Object.entries(parsed)) add(raw, field, value);
}

function addForm(raw: RawParameters, text: string): void {
  for (const [field, value] of new URLSearchParams(text)) add(raw, field, value);
}

function add(raw: RawParameters, field: string, value: unknown): void {
  if (field in raw) throw new Unreadable(HTTP_PROBLEMS.malformed, `The parameter ${quote(field)} was given more than once.`);
  raw[field] = value;
}

function decodeUtf8(body: Buffer): string {
  if (!isUtf8(body)) throw new Unreadable(HTTP_PROBLEMS.malformed, 'The body is not UTF-8.');
  return body.toString('utf8');
}

function validate<S extends z.ZodMiniType>(schema: S, value: unknown): Read<z.output<S>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const errors = parsed.error.issues.flatMap((issue): FieldError[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((field) => ({ field, message: `is not a parameter of this request; ${allowedBy(schema)}${isJson(field) ? FOR_JSON : ''}` }))
      : [{ field: issue.path.join('.'), message: issue.message }],
  );
  const detail = errors.map(({ field, message }) => `${quote(field).slice(1, -1)}: ${message}`).join('; ').concat('.');
  return { ok: false, problem: HTTP_PROBLEMS.invalid, detail, errors };
}

/** Whether a name is the beginning of JSON that was sent as a form: `curl -d` says that every body is one. */
function isJson(field: string): boolean {
  return /^\s*\{/.test(field);
}

function allowedBy(schema: z.core.$ZodType): string {
  const names = Object.keys((schema as z.ZodMiniObject).shape);
  return names.length === 0 ? 'it takes none' : `it takes ${names.join(', ')}`;
}

function tooLarge(): Extract<Read<never>, { ok: false }> {
  return { ok: false, problem: HTTP_PROBLEMS['too-large'], detail: `The body is longer than ${String(MAX_BODY_BYTES)} bytes.` };
}
