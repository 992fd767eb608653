import { messageOf } from '../../server/text';

/** The system's error in a sentence that says what it means for the lock, where that is not plain. */
export function explain(error: unknown, path: string): string {
  const hint = HINTS[codeOf(error) ?? ''];
  const message = messageOf(error);
  return hint === undefined ? message : `${path}: ${hint} (${message})`;
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'not permitted; this file system may have no hard links',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the file system is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'there is a file where a directory is needed',
  EXDEV: 'this is not on one file system',
  EMLINK: 'this file system allows too few hard links',
  EOPNOTSUPP: 'this file system has no hard links',
  ENOTSUP: 'this file system has no hard links',
  ENOSYS: 'this file system has no hard links',
};
