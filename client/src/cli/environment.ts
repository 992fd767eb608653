/** The environment of COMMAND: ours, and what it may want to know. */
export function environmentOfHolder(name: string): NodeJS.ProcessEnv {
  return { ...process.env, UPDATE_LOCK_HELD: '1', UPDATE_LOCK_NAME: name };
}
