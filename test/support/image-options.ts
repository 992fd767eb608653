import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The heap of the image: see NODE_OPTIONS in the Dockerfile. */
export const IMAGE_OPTIONS = /SIDECAR_NODE_OPTIONS="(.*)"/.exec(readFileSync(resolve(__dirname, '../../Dockerfile'), 'utf8'))?.[1] ?? '';
