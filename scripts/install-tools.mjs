// Installs Debian packages that are missing, where it can (root, apt).
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Makes sure that commands are there, and ends this process with a message that names the packages if they are not: what is left out in
 * silence proves nothing.
 * @param packages each command, and the Debian packages that make it work
 * @param who needs them, for the message
 */
export function installTools(packages, who) {
  let commands = missing(packages);
  if (commands.length > 0 && process.getuid() === 0) {
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
      const install = ['install', '-qq', '-y', '--no-install-recommends', ...packagesOf(packages, commands)];
      execFileSync('apt-get', install, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
    } catch (error) {
      console.error(`apt-get failed: ${error.message}`);
    }
    commands = missing(packages);
  }
  if (commands.length > 0) {
    console.error(`${who} need ${commands.join(', ')}. Install these packages first: ${packagesOf(packages, commands).join(' ')}`);
    process.exit(1);
  }
}

function missing(packages) {
  // Not for people, so it is not in the search path.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/lib/systemd'];
  return Object.keys(packages).filter((command) => !folders.some((folder) => existsSync(join(folder, command))));
}

function packagesOf(packages, commands) {
  return [...new Set(commands.flatMap((command) => packages[command].split(' ')))];
}
