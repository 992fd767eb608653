/**
 * The user to whom our lock files belong when the sidecar runs as root. It must be nobody else's: not root's (Helios
 * and the host run as root) and above all not 65534, whose files the Supervisor takes for its own and deletes.
 */
export const LOCK_USER_ID = 48484;

/** `drwxrwxrwt`: anyone may add files, and only a file's owner may remove it. The Supervisor sets the same. */
export const STICKY_MODE = 0o1777;

/**
 * Who owns our lock files. Before a name is removed it is seen to be ours; but between the look and the removal the
 * Supervisor may put its own file there, and no system call removes a name only if it is still that of a certain file.
 * In a sticky directory, though, the kernel refuses to remove the file of another user, and checks that under the
 * directory's own lock. So a sidecar that was started as root works as a user who owns our lock files and nothing else,
 * and is root again only to prepare directories and sockets. Without the right to change users, or in a directory which
 * that user cannot reach, we work as the user who started us.
 */
export class LockUser {
  #isActing = false;

  private constructor(
    readonly uid: number,
    /** The user who started the process. */
    readonly startedUid: number,
    /** As whom a child can be started that needs no rights at all: only the lock's user. Empty where that cannot be changed. */
    readonly ids: { readonly uid?: number; readonly gid?: number } = {},
  ) {}

  /** Finds out who the lock's user can be, and drops the groups that come with root. */
  static detect(): LockUser {
    const uid = process.geteuid?.() ?? 0;
    if (uid !== 0) return new LockUser(uid, uid);
    const gid = canChangeGroup() ? { gid: LOCK_USER_ID } : {};
    const other = new LockUser(LOCK_USER_ID, uid, { uid: LOCK_USER_ID, ...gid });
    try {
      other.act(() => undefined);
      return other;
    } catch {
      return new LockUser(uid, uid);
    }
  }

  /** Whether the lock's user is another than the one as whom the process was started. */
  get isOther(): boolean {
    return this.uid !== this.startedUid;
  }

  /** From now on works as the lock's user. */
  dropPrivileges(): void {
    if (this.isOther) process.seteuid?.(this.uid);
    this.#isActing = this.isOther;
  }

  /** From now on works again as the user who started the process. */
  regainPrivileges(): void {
    if (this.isOther) process.seteuid?.(this.startedUid);
    this.#isActing = false;
  }

  /** Does something as the lock's user. */
  act<T>(action: () => T): T {
    if (!this.isOther || this.#isActing) return action();
    this.dropPrivileges();
    try {
      return action();
    } finally {
      this.regainPrivileges();
    }
  }

  /** Does something as the user who started the process. */
  actAsStarted<T>(action: () => T): T {
    if (!this.#isActing) return action();
    this.regainPrivileges();
    try {
      return action();
    } finally {
      this.dropPrivileges();
    }
  }
}

/** Whether we have the right to change groups; uses it to drop those that we have beside our own. */
function canChangeGroup(): boolean {
  const gid = process.getegid?.() ?? 0;
  try {
    process.setgroups?.([]);
    process.setegid?.(LOCK_USER_ID);
    process.setegid?.(gid);
    return true;
  } catch {
    return false;
  }
}
