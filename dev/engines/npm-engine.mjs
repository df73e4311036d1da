import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { npm } from './libtensorflow/build.mjs';

/**
 * Installs the npm packages that are the dependencies of the manifest in `source`, pinned by its lockfile, in `folder`,
 * which is created if missing. Install scripts are not run: those of onnxruntime would download GPU libraries. A second
 * run reuses the result.
 *
 * @param {string} source folder with package.json and package-lock.json.
 * @param {{ folder: string, log?: (line: string) => void }} options
 * @returns {Promise<string>} the folder of the first dependency.
 */
export async function installNpmEngine(source, { folder, log = () => {} }) {
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const dependencies = Object.entries(manifest.dependencies);
  const home = resolve(folder);
  const folderOf = (name) => join(home, 'node_modules', name);
  const packageFolder = folderOf(dependencies[0][0]);
  if (dependencies.every(([name, version]) => installedVersion(folderOf(name)) === version)) return packageFolder;
  await mkdir(home, { recursive: true });
  const names = dependencies.map((dependency) => dependency.join(' ')).join(', ');
  log(`Installing ${names} without install scripts …`);
  await cp(source, home, { recursive: true });
  await npm(['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], home);
  return packageFolder;
}

function installedVersion(packageFolder) {
  const manifest = join(packageFolder, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

/** The program of an engine: `node install.mjs FOLDER` prints the folder of the package. */
export async function installProgram(name, install) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error(`Usage: node dev/engines/${name}/install.mjs FOLDER`);
    process.exitCode = 2;
  } else console.log(await install({ folder, log: (line) => console.error(line) }));
}
