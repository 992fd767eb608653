import { messageOf } from '../../server/text';
import type { Call } from '../../server/http/call';
import { StoreUnavailable } from '../store/store';
import { PROBLEMS } from './schemas';

/** Told of the reasons for which a request could not be answered as it should be. */
export interface Failures {
  readonly unavailable: (error: StoreUnavailable) => void;
  /** What must not happen. */
  readonly bug: (error: unknown) => void;
}

/** Runs what answers a call once the store has answered. A store that cannot be used is a 503, everything else a bug. */
export function answerLater(call: Call, failures: Failures, answer: () => Promise<void>): void {
  answer().catch((error: unknown) => {
    if (error instanceof StoreUnavailable) {
      failures.unavailable(error);
      call.problem(PROBLEMS['store-unavailable'], `The store cannot be used now: ${messageOf(error)}.`);
    } else {
      failures.bug(error);
      call.problem(PROBLEMS.internal, 'This is a bug in update-lock; the log of the coordinator says more.');
    }
  });
}
