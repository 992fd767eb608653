import type { FileIdentity } from '../../sidecar/lock/classify';
import type { FlockResult } from '../../sidecar/lock/flock';
import { atPoint, interceptFiles } from './intercepted-files';
import { machine } from './kernel';

/**
 * To be imported before anything of the sidecar. Its file operations are then the real ones, with an interceptor in front of each;
 * its flocks and guards are those of `kernel.ts`; and what its user may do is as in `permissions.ts`.
 */

jest.mock('node:fs', () => interceptFiles(jest.requireActual('node:fs')));

jest.mock('../../sidecar/lock/flock', () => ({
  FIRST_FD: 3,
  flock: (fds: readonly number[]): FlockResult =>
    atPoint('flock', fds, () => {
      const index = fds.findIndex((fd) => !machine.kernel.flock(fd));
      return index === -1 ? { kind: 'locked' } : { kind: 'conflict', index };
    }),
}));

jest.mock('../../sidecar/lock/guard', () => {
  const endGuard = (pid: number): void => { atPoint('endGuard', [pid], () => { machine.kernel.endGuard(pid); }); };
  return {
    Guard: class {
      readonly #pid: number;

      constructor(file: FileIdentity & { readonly fd: number }) {
        this.#pid = atPoint('startGuard', [file.fd], () => machine.kernel.startGuard(file));
      }

      release(keep: boolean): void {
        if (!keep) endGuard(this.#pid);
      }
    },
    findGuards: (file: FileIdentity) => atPoint('findGuards', [], () => machine.kernel.guardsOf(file)),
    isGuardOf: (pid: number, file: FileIdentity) => machine.kernel.guardsOf(file).includes(pid),
    endGuard,
  };
});

process.seteuid = (uid) => { machine.uid = Number(uid); };
