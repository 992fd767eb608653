import { resolve } from 'node:path';
import { libraryDriver } from './client-driver';
import { testContract } from './scenarios';

testContract(libraryDriver('the Python module', ['python3', resolve(__dirname, 'holder.py')]));
