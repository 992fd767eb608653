import { resolve } from 'node:path';
import { commandDriver } from './client-driver';
import { testContract } from './scenarios';

testContract(commandDriver('the command', [process.execPath, resolve(__dirname, '../../client/dist/cli.cjs')]));
