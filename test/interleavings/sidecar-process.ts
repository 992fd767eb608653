import { closeSync } from 'node:fs';
import { machine, type Kernel } from './kernel';
import { performAs } from './permissions';
import type { Keeper } from '../../sidecar/keeper/keeper';
import { LockUser } from '../../sidecar/lock/lock-user';
import { withInterceptor, type Operation } from './intercepted-files';

/** What a file operation of a process that has died comes to. */
class Died extends Error {}

/** The user of every sidecar here: found out once, and root again when a process has died. */
export const user = LockUser.detect();

export interface Steps {
  /** Others step in before each file operation; the process may die by that. Returns the error with which the operation fails, if it does. */
  readonly before: (operation: Operation) => Error | undefined;
  readonly after: (operation: Operation) => void;
}

/** A process of the sidecar, which may die at any of its file operations. */
export class SidecarProcess {
  #isDying = false;
  #isCalled = false;
  readonly #descriptors = new Set<number>();

  constructor(
    private readonly keeper: Keeper,
    private readonly kernel: Kernel,
    private readonly steps: Steps,
  ) {}

  get isDying(): boolean {
    return this.#isDying;
  }

  get isCalled(): boolean {
    return this.#isCalled;
  }

  get openFiles(): number {
    return this.#descriptors.size;
  }

  /** Does something in the process. Undefined if it dies meanwhile. */
  call<T>(action: (keeper: Keeper) => T): T | undefined {
    this.#isCalled = true;
    try {
      const result = withInterceptor((operation, perform) => this.#pass(operation, perform), () => action(this.keeper));
      return this.#isDying ? undefined : result;
    } catch (error) {
      if (!this.#isDying) throw error;
      return undefined;
    } finally {
      this.#isCalled = false;
    }
  }

  /** From now on nothing that it does has any effect. */
  die(): void {
    this.#isDying = true;
  }

  /** The kernel's part of its end. */
  end(): void {
    user.regainPrivileges();
    jest.clearAllTimers();
    for (const fd of [...this.#descriptors]) {
      closeSync(fd);
      this.#closed(fd);
    }
    this.kernel.endNeedlessGuards();
  }

  #pass<T>(operation: Operation, perform: () => T): T {
    const failure = this.#isDying ? undefined : withInterceptor(null, () => this.steps.before(operation));
    if (this.#isDying) throw new Died();
    if (failure !== undefined) throw failure;
    const { name, args } = operation;
    const result = withInterceptor(null, () => performAs(machine.uid, operation, perform));
    if (name === 'openSync') this.#descriptors.add(result as number);
    if (name === 'closeSync') this.#closed(args[0] as number);
    withInterceptor(null, () => { this.steps.after(operation); });
    return result;
  }

  #closed(fd: number): void {
    this.#descriptors.delete(fd);
    this.kernel.closed(fd);
  }
}
