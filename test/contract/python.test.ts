import { resolve } from 'node:path';
import { libraryDriver } from './client-driver';
import { testContract } from './scenarios';

const HOLDER = resolve(__dirname, 'holder.py');

testContract(libraryDriver('the Python module', ['python3', HOLDER]));
testContract(libraryDriver('the Python module with asyncio', ['python3', HOLDER, 'asyncio']));
