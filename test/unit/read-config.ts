import { readConfig, type Config } from '../../sidecar/config/config';

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of an environment without mistakes. */
export function configOf(environment: Environment, isTerminal = false): Config {
  const result = readConfig(environment, isTerminal);
  if (!result.ok) throw new Error(result.mistakes.join('\n'));
  return result.config;
}

/** What is wrong with an environment, one line a mistake. */
export function mistakesOf(environment: Environment): readonly string[] {
  const result = readConfig(environment, false);
  return result.ok ? [] : result.mistakes;
}
