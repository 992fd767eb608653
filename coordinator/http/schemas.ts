import * as z from 'zod/mini';
import { HTTP_PROBLEMS, defineProblems } from '../../server/http/problem';
import { describe, flag, wholeNumber, wrongValue } from '../../server/http/field-schemas';
import { ID_PATTERN } from '../config/device-id';
import { GROUP_PATTERN, MAX_SLOTS } from '../config/new-groups';
import { REFUSALS } from '../groups';

/** The parameters and answers of the interface. Validation and the OpenAPI document both follow from these schemas. */

export const PROBLEMS = {
  ...HTTP_PROBLEMS,
  ...defineProblems({ 'store-unavailable': { status: 503, title: 'The store cannot be used' } }),
};

const SHAPE = 'the body has to be {"client_params": {"id": "...", "group": "..."}}';

/** Text of a path, or of the body that FleetLock has. */
const text = z.string({ error: ({ input }) => wrongValue(input, 'is not text', SHAPE) });

export const groupName = text.check(z.regex(GROUP_PATTERN, 'is not the name of a group: up to 64 of A to Z, a to z, 0 to 9, "." and "-"'));
export const deviceId = describe(
  text.check(z.regex(ID_PATTERN, 'is not an id: up to 128 characters without white space')),
  'Up to 128 visible characters.',
  // Not every language's expressions have the categories of Unicode.
  { pattern: '^\\S+$', minLength: 1, maxLength: 128 },
);

export const noParameters = z.strictObject({});

/** What FleetLock v1 sends. Members that it does not have are left out, as its other servers do. */
export const fleetLockRequest = z.object({
  client_params: z.object({ id: deviceId, group: groupName }, { error: ({ input }) => wrongValue(input, 'is not an object', SHAPE) }),
});

export const groupChanges = z.strictObject({
  slots: z.optional(wholeNumber(MAX_SLOTS, 'How many devices may have a turn at once.')),
  paused: z.optional(flag('Whether no more turns are given.')),
});

const instant = z.iso.datetime();

export const group = z.strictObject({
  name: z.string(),
  slots: z.int(),
  paused: z.boolean(),
  holders: z.array(z.strictObject({ id: z.string(), since: instant, stale: z.boolean() })),
  waiting: z.array(z.strictObject({ id: z.string(), since: instant, lastAsked: z.nullable(instant) })),
});
export const groups = z.strictObject({ groups: z.array(group) });

/** Kinds of errors of FleetLock v1; clients may show them and must not depend on them. */
export const FLEET_LOCK_KINDS = ['bad_request', 'unauthorized', 'forbidden', 'unknown_group', ...REFUSALS, 'store_unavailable', 'internal'] as const;
export type FleetLockKind = (typeof FLEET_LOCK_KINDS)[number];
export const fleetLockError = z.strictObject({ kind: z.enum(FLEET_LOCK_KINDS), value: z.string() });

const check = z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string(), warning: z.optional(z.boolean()) });
export const readiness = z.strictObject({ ready: z.boolean(), checks: z.array(check) });
export const health = z.strictObject({ status: z.literal('ok') });
export const openapiDocument = z.looseObject({ openapi: z.string() });

export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(PROBLEMS) as [keyof typeof PROBLEMS]),
  errors: z.optional(z.array(z.strictObject({ field: z.string(), message: z.string() }))),
});
