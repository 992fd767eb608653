import { resolve } from 'node:path';
import { libraryDriver } from './client-driver';
import { testContract } from './scenarios';

testContract(libraryDriver('the TypeScript library', [process.execPath, resolve(__dirname, 'holder.mjs')]));
