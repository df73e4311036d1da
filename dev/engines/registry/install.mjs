// node dev/engines/registry/install.mjs FOLDER: installs what `npm run release:dry-run` needs and prints the folder of
// verdaccio: a registry, and the package managers yarn and bun, pinned by the lockfile in engine/. They take 165 MB in
// 330 packages, of which bun is 103 MB. Therefore they are no development dependencies, which every clone installs.
import { fileURLToPath } from 'node:url';
import { installNpmEngine, installProgram } from '../npm-engine.mjs';

const engine = fileURLToPath(new URL('engine/', import.meta.url));

/** Installs them in `folder`, which is created if missing; returns the folder of verdaccio. */
export const installRegistry = (options) => installNpmEngine(engine, options);

if (process.argv[1] === fileURLToPath(import.meta.url)) await installProgram('registry', installRegistry);
