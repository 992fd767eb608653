import { resolve } from 'node:path';
import { commandDriver } from './client-driver';
import { testContract } from './scenarios';

const SCRIPT = resolve(__dirname, '../../client/sh/update-lock');

/** The shells that are /bin/sh on Debian, on Alpine and on Red Hat's. */
for (const shell of [['dash'], ['busybox', 'sh'], ['bash', '--posix']]) {
  testContract(commandDriver(`the shell script, in ${shell.join(' ')}`, [...shell, SCRIPT]));
}
