import type { Json } from './etcd-client';

/** A key as etcd answers it; 64-bit numbers are texts. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly modRevision: string;
  /** `0` if the key does not end with a lease. */
  readonly lease: string;
}

/** The names of keys: `groups/NAME`, and for each device `holders/NAME/ID`, `waiting/NAME/ID` and, as long as it asks, `asking/NAME/ID`. */
export class Keys {
  constructor(private readonly prefix: string) {}

  /** What all groups begin with. */
  get groups(): string {
    return `${this.prefix}groups/`;
  }

  group(name: string): string {
    return `${this.groups}${name}`;
  }

  /** Without an id: what all of the group begin with. A name has no slash in it. */
  holder(group: string, id = ''): string {
    return `${this.prefix}holders/${group}/${id}`;
  }

  waiting(group: string, id = ''): string {
    return `${this.prefix}waiting/${group}/${id}`;
  }

  asking(group: string, id = ''): string {
    return `${this.prefix}asking/${group}/${id}`;
  }
}

export function encode(value: string): string {
  return Buffer.from(value).toString('base64');
}

function decode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : '', 'base64').toString();
}

/** The operations of a transaction, each as its gateway wants it. */
export const get = (key: string): Json => ({ request_range: { key: encode(key) } });
export const put = (key: string, value: unknown, lease = '0'): Json => ({ request_put: { key: encode(key), value: encode(JSON.stringify(value)), lease } });
export const remove = (key: string): Json => ({ request_delete_range: { key: encode(key) } });

/** All keys that begin so, in the order in which they were created. */
export function getAll(start: string): Json {
  return { request_range: { key: encode(start), range_end: endOf(start), sort_order: 'ASCEND', sort_target: 'CREATE' } };
}

export const isAbsent = (key: string): Json => ({ key: encode(key), target: 'VERSION', result: 'EQUAL', version: '0' });
export const isPresent = (key: string): Json => ({ key: encode(key), target: 'VERSION', result: 'GREATER', version: '0' });
export const isUnchanged = (key: string, modRevision: string): Json => ({ key: encode(key), target: 'MOD', result: 'EQUAL', mod_revision: modRevision });

/** The first key after all that begin so: ours end with a slash, whose successor is `0`. */
function endOf(start: string): string {
  return encode(start.replace(/\/$/, '0'));
}

/** The keys that each range of a transaction has found. */
export function foundIn(answer: Json): KeyValue[][] {
  const { responses = [] } = answer as { responses?: readonly { response_range?: { kvs?: readonly Json[] } }[] };
  return responses.map(({ response_range: range }) => (range?.kvs ?? []).map(
    ({ key, value, mod_revision: modRevision = '0', lease = '0' }) => ({ key: decode(key), value: decode(value), modRevision: String(modRevision), lease: String(lease) }),
  ));
}
