import type { LeaseKeeper } from '../../sidecar/holders/wanted-lease';
import type { Lease } from '../../sidecar/leases/lease';
import { makeLease } from './make-lease';

/** Grants everything at once. */
export class ObligingKeeper implements LeaseKeeper {
  readonly live = new Map<string, Lease>();

  get(name: string): Lease | undefined {
    return this.live.get(name);
  }

  acquireWithin({ name, reason = '' }: { name: string; reason?: string | undefined }): null {
    this.live.set(name, makeLease(name, { reason, kind: 'builtin', endsAtMs: null }));
    return null;
  }

  end(name: string): undefined {
    this.live.delete(name);
  }
}
