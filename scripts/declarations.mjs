// The types of every package: dist/**/*.d.ts, a file for each entry point. One TypeScript program emits the
// declarations of all packages, and tsup rolls them up. A program for each package would read its dependencies again,
// which takes five times as long. `npm run build` calls this; running the code needs no types.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'tsup';
import { root, tool } from './lib.mjs';

const emitted = join(root, 'build', 'declarations');

/** Every package of the workspace that has an entry point with types. */
const packages = ['packages', 'apps', join('apps', 'examples')]
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)))
  .filter((folder) => existsSync(join(root, folder, 'tsup.config.ts')))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) }));

/** The emitted declarations of each entry point by its name in dist, without extension. */
const entryOf = ({ folder, manifest }) =>
  Object.fromEntries(
    Object.values(manifest.exports)
      .filter((target) => target.types !== undefined)
      .map(({ types }) => types.replace('./dist/', '').replace('.d.ts', ''))
      .map((name) => [name, join(emitted, folder, 'src', `${name}.d.ts`)]),
  );

/** Private packages become part of the declarations of their dependents, since users cannot install them. */
const ofPrivate = packages.filter(({ manifest }) => manifest.private === true);
const paths = Object.fromEntries(
  ofPrivate.map(({ folder, manifest }) => [manifest.name, [join(emitted, folder, 'src', 'index.d.ts')]]),
);
const externalOf = ({ dependencies = {}, peerDependencies = {} }) =>
  [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
    .filter((name) => paths[name] === undefined)
    .map((name) => new RegExp(`^${name}($|/)`));

rmSync(emitted, { recursive: true, force: true });
const code = await tool('typescript', join('bin', 'tsc'), ['-p', 'tsconfig.declarations.json']);
if (code !== 0) process.exit(code);

for (const { folder, manifest } of packages) {
  const dist = join(root, folder, 'dist');
  const earlier = existsSync(dist)
    ? readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.d.ts'))
    : [];
  for (const name of earlier) rmSync(join(dist, name));
  const entry = entryOf({ folder, manifest });
  await build({
    config: false,
    silent: true,
    entry,
    format: ['esm'],
    outDir: dist,
    clean: false,
    external: [/^node:/, ...externalOf(manifest)],
    dts: { only: true, entry, compilerOptions: { paths } },
  });
}
