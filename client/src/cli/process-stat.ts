import { readFileSync } from 'node:fs';

/** The kernel's data on a process (proc(5), `/proc/PID/stat`). */
export interface ProcessStat {
  readonly isStopped: boolean;
  readonly processGroup: number;
  readonly hasTerminal: boolean;
  /** The process group that gets the signals of its terminal. */
  readonly foregroundGroup: number;
}

/** Null if there is no such process, or no /proc. */
export function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The command's name comes before, in brackets, and may have any character in it.
  const [state, , processGroup, , terminal, foregroundGroup] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    isStopped: state === 'T',
    processGroup: Number(processGroup),
    hasTerminal: terminal !== '0',
    foregroundGroup: Number(foregroundGroup),
  };
}
