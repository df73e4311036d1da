// The types of every package: dist/**/*.d.ts, a file for each entry point. One TypeScript program emits the
// declarations of all packages, and rolldown rolls them up as text. A TypeScript program for each package would read
// its dependencies again, which takes ten times as long. `npm run build` calls this; running the code needs no types.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
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
const alias = Object.fromEntries(
  ofPrivate.map(({ folder, manifest }) => [manifest.name, join(emitted, folder, 'src', 'index.d.ts')]),
);
const externalOf = ({ dependencies = {}, peerDependencies = {} }) =>
  [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
    .filter((name) => alias[name] === undefined)
    .map((name) => new RegExp(`^${name}($|/)`));

/** What rolldown makes of declarations, as a reader of the types expects it. */
const readable = {
  name: 'readable declarations',
  // Rolldown numbers the namespace of another package by the files that import it: _lmd_core14.
  renderChunk(code) {
    let text = code;
    for (const [, numbered, name] of code.matchAll(/^import \* as ((\w+?)\d+) from /gm)) {
      const isTaken = new RegExp(`(?<![\\w"/])${name}\\b`).test(text);
      if (!isTaken) text = text.replaceAll(new RegExp(`\\b${numbered}\\b`, 'g'), name);
    }
    return { code: text };
  },
  // Code that fills namespaces; those of declarations need none.
  generateBundle(_, bundle) {
    for (const [file, { name }] of Object.entries(bundle)) if (name === 'rolldown-runtime') delete bundle[file];
  },
};

rmSync(emitted, { recursive: true, force: true });
const code = await tool('typescript', join('bin', 'tsc'), ['-p', 'tsconfig.declarations.json']);
if (code !== 0) process.exit(code);

for (const { folder, manifest } of packages) {
  const dist = join(root, folder, 'dist');
  const earlier = existsSync(dist)
    ? readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.d.ts'))
    : [];
  for (const name of earlier) rmSync(join(dist, name));
  const bundle = await rolldown({
    cwd: root,
    input: entryOf({ folder, manifest }),
    external: [/^node:/, ...externalOf(manifest)],
    resolve: { alias },
    plugins: [dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false, sourcemap: false }), readable],
    // Without the comments that name the file of each part.
    experimental: { attachDebugInfo: 'none' },
  });
  await bundle.write({
    dir: dist,
    entryFileNames: '[name].ts',
    chunkFileNames: ({ name }) => `${name.replace(/\.d$/, '')}-[hash].d.ts`,
  });
  await bundle.close();
}
