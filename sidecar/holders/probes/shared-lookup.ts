import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Waiting = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

/** Who waits for which name. */
const underWay = new Map<string, Waiting[]>();

/**
 * Looks up a name once for all who ask meanwhile. A lookup cannot be called off and takes one of the process's few
 * threads: where name servers do not answer, those of requests long given up would pile up without end.
 */
export const sharedLookup: LookupFunction = (hostname, options, callback) => {
  const answer: Waiting = (error, addresses) => {
    const [first] = addresses;
    if (options.all === true) callback(error, [...addresses]);
    else callback(error, first?.address ?? '', first?.family);
  };
  const waiting = underWay.get(hostname);
  if (waiting !== undefined) {
    waiting.push(answer);
    return;
  }
  const all = [answer];
  underWay.set(hostname, all);
  lookup(hostname, { all: true }, (error, addresses) => {
    underWay.delete(hostname);
    for (const each of all) each(error, error === null ? addresses : []);
  });
};
