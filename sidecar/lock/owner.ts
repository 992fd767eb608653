/**
 * The user to whom our lock files belong when the sidecar runs as root. It must be nobody else's: not root's (Helios
 * and the host run as root) and above all not 65534, whose files the Supervisor takes for its own and deletes.
 */
const LOCK_OWNER_UID = 48484;

/** `drwxrwxrwt`: anyone may add files, and only a file's owner may remove it. The Supervisor sets the same. */
export const STICKY_MODE = 0o1777;

/** Who owns our lock files and, where that is another user than we are, how to act as that user. */
export interface Owner {
  readonly uid: number;
  /** Whether files can be given to {@link uid} and removed as it: only root can. */
  readonly isOther: boolean;
}

export function detectOwner(): Owner {
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0) return { uid, isOther: false };
  try {
    process.seteuid?.(LOCK_OWNER_UID);
    process.seteuid?.(0);
    return { uid: LOCK_OWNER_UID, isOther: true };
  } catch {
    return { uid: 0, isOther: false };
  }
}

/**
 * Runs an action that removes names in a directory, each of which was just seen to be ours. Between the look and the
 * removal the Supervisor may have put its own file there, and no system call removes a name only if it is still that of
 * a certain file. But in a sticky directory the kernel refuses to remove a file of another user, and checks that under
 * the directory's own lock: so for the length of the action we are a user who owns our lock files and nothing else. To
 * remove what is not ours any more then throws EPERM or EACCES. The current directory is the given one meanwhile, since
 * that user may not be allowed to walk the whole path.
 */
export function actAs(owner: Owner, directory: string, action: () => void): void {
  process.chdir(directory);
  try {
    if (owner.isOther) process.seteuid?.(owner.uid);
    action();
  } finally {
    if (owner.isOther) process.seteuid?.(0);
    process.chdir('/');
  }
}
