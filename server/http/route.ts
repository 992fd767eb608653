import type * as z from 'zod/mini';
import type { Call } from './call';
import type { Problem } from './problem';

/** An answer that is not a problem, for the OpenAPI document. */
export interface AnswerDescription {
  readonly description: string;
  /** The body's media type; JSON unless said otherwise. Without a schema there is no body. */
  readonly contentType?: string;
  readonly schema?: z.ZodMiniType;
  readonly headers?: Readonly<Record<string, string>>;
  /** What can be asked next with what this answer says, by names of their own. */
  readonly links?: Readonly<Record<string, Link>>;
}

/** Another operation, and where its parameters are found: expressions of OpenAPI, such as `$request.path.name`. */
export interface Link {
  readonly operationId: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A header of requests. */
export interface HeaderDescription {
  readonly description: string;
  readonly isRequired?: boolean;
  /** What it may be; anything if not given. */
  readonly pattern?: RegExp;
}

/** A protocol of others, with bodies and errors of its own. Its bodies are JSON, whatever their type is said to be. */
export interface ForeignProtocol {
  /** An error as this protocol has it. */
  readonly error: (problem: Problem, detail: string) => { readonly status: number; readonly body: unknown };
}

/** One operation of the interface, for the router, the OpenAPI document and the metrics. */
export interface Route<P extends z.ZodMiniType = z.ZodMiniType> {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** As in OpenAPI: `/v1/things/{name}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** What may stand for each `{name}` in the path; the schema's message goes on from the value. */
  readonly pathParameters?: Readonly<Record<string, z.ZodMiniType<string>>>;
  /** Request headers that change what it does. */
  readonly headers?: Readonly<Record<string, HeaderDescription>>;
  readonly parameters: P;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** The problems of its own, beside those of every request. */
  readonly problems?: readonly Problem[];
  /** Set if only an admin may ask for it: what needs the admin token, as the subject of a sentence. */
  readonly adminOnly?: string;
  /** Set if only an admin may ask for a part of it: that part, as the subject of a sentence. */
  readonly adminPart?: string;
  /** Where it is not of our own making; all its answers are in {@link answers} then. */
  readonly protocol?: ForeignProtocol;
  readonly handle: (call: Call, parameters: z.output<P>) => void;
}

/** Checks a handler against the type of its parameters, and then drops that type, so that all routes fit in one list. */
export function route<P extends z.ZodMiniType>(definition: Route<P>): Route {
  return definition;
}
