// node dev/engines/lighthouse/install.mjs FOLDER: installs Lighthouse with axe-core and puppeteer-core, pinned by the
// lockfile in engine/, and prints the folder of the package, for the variable LMD_LIGHTHOUSE of the tests of the site.
// axe-core is under MPL-2.0 and they take 186 MB, so they are no development dependencies, which every clone installs.
import { fileURLToPath } from 'node:url';
import { installNpmEngine, installProgram } from '../npm-engine.mjs';

const engine = fileURLToPath(new URL('engine/', import.meta.url));

/** Installs them in `folder`, which is created if missing; returns the folder of Lighthouse. */
export const installLighthouse = (options) => installNpmEngine(engine, options);

if (process.argv[1] === fileURLToPath(import.meta.url)) await installProgram('lighthouse', installLighthouse);
