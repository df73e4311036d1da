import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { z } from 'zod';
import { describeEnvironment } from '../experiment/ledger/provenance.js';

/** What must be equal where results are compared: the packages of this program. */
export const codeIdentitySchema = z.strictObject({
  commit: z.string(),
  versions: z.record(z.string(), z.string()),
  /** SHA-256 of the packages' programs. */
  files: z.string(),
});

export type CodeIdentity = z.output<typeof codeIdentitySchema>;

/** Packages whose code determines a trial's result. */
const packages = [
  ...['autograd', 'backends', 'cli', 'core', 'data', 'distributed', 'inference', 'models', 'mx-formats'],
  ...['safetensors', 'training'],
];

/**
 * The identity of this program. Files tell more than versions, which do not change with each edit of a checkout.
 *
 * @param checkout folder of the program's sources; undefined for an installed program, which has no commit.
 */
export function codeIdentity(checkout: string | undefined): CodeIdentity {
  const require = createRequire(import.meta.url);
  const hash = createHash('sha256');
  for (const name of packages) {
    const folder = join(dirname(require.resolve(`@lmd/${name}/package.json`)), 'dist');
    for (const file of programsIn(folder)) {
      hash
        .update(`${name}/${file}\0`)
        .update(readFileSync(join(folder, ...file.split('/'))))
        .update('\0');
    }
  }
  const { commit, versions } = describeEnvironment(checkout);
  return { commit, versions, files: hash.digest('hex') };
}

function programsIn(folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return found
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.replaceAll(sep, '/'))
    .sort();
}

/** How another program's code differs from one's own, by name; undefined if it does not. */
export function codeDifference(own: CodeIdentity, other: CodeIdentity): string | undefined {
  if (own.files === other.files) return undefined;
  for (const name of new Set([...Object.keys(own.versions), ...Object.keys(other.versions)])) {
    const [here, there] = [own.versions[name] ?? 'missing', other.versions[name] ?? 'missing'];
    if (here !== there) return `${name} is ${here} here and ${there} there`;
  }
  if (own.commit !== other.commit) return `the commit is ${own.commit} here and ${other.commit} there`;
  const [here, there] = [own.files, other.files].map((digest) => digest.slice(0, 12));
  return `the SHA-256 of the built packages is ${here} here and ${there} there`;
}
