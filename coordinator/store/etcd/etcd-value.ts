import * as z from 'zod/mini';
import { StoreUnavailable } from '../store';
import type { KeyValue } from './keys';

export const groupValue = z.object({ slots: z.int(), paused: z.boolean(), isAdHoc: z.boolean() });
/** `turn` is another one for each turn, so that it can be told whether a grant without an answer was done. */
export const holderValue = z.object({ instance: z.nullable(z.string()), sinceMs: z.number(), turn: z.string() });
export const waitingValue = z.object({ sinceMs: z.number() });
export const askingValue = z.object({ silentAfterMs: z.number() });

/** What cannot be understood may be a turn, so nothing is done with the group. */
export function parse<S extends z.ZodMiniType>(schema: S, { key, value }: KeyValue): z.output<S> {
  try {
    return schema.parse(JSON.parse(value));
  } catch (error) {
    throw new StoreUnavailable('read', `the key ${JSON.stringify(key)} in etcd cannot be understood`, { cause: error });
  }
}
