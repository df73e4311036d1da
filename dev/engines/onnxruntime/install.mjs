// node dev/engines/onnxruntime/install.mjs FOLDER: installs onnxruntime-node, pinned by the lockfile in engine/, and
// prints the folder of the package, for the variable LMD_ONNXRUNTIME of the benchmarks. It takes 288 MB. The install
// script of the package, which would download GPU libraries, is not run. A second run reuses the result.
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from '../libtensorflow/build.mjs';

const engine = fileURLToPath(new URL('engine/', import.meta.url));
const expected = JSON.parse(readFileSync(join(engine, 'package.json'), 'utf8')).dependencies['onnxruntime-node'];

function installedVersion(packageFolder) {
  const manifest = join(packageFolder, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

/** Installs onnxruntime-node in `folder`, which is created if missing; returns the folder of the package. */
export async function installOnnxruntime({ folder, log = (/** @type {string} */ _line) => {} }) {
  const home = resolve(folder);
  const packageFolder = join(home, 'node_modules', 'onnxruntime-node');
  if (installedVersion(packageFolder) === expected) return packageFolder;
  await mkdir(home, { recursive: true });
  log(`Installing onnxruntime-node ${expected} without its install script …`);
  await cp(engine, home, { recursive: true });
  await npm(['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], home);
  return packageFolder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error('Usage: node dev/engines/onnxruntime/install.mjs FOLDER');
    process.exitCode = 2;
  } else console.log(await installOnnxruntime({ folder, log: (line) => console.error(line) }));
}
