// The size of each entry point of the published packages: what a program that uses all of it downloads, bundled with
// its dependencies by esbuild, minified and compressed by gzip. Peers and built files for one platform are left out.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { published } from './packed.mjs';

/** Modules with native code, which no bundler takes. */
const native = ['sharp', '*.node', '@lmd/native-*'];

/**
 * Kilobytes (10³ bytes) of every entry point, by its specifier.
 *
 * @returns {Promise<Map<string, number>>}
 */
export async function entrySizes() {
  const sizes = new Map();
  for (const { folder, manifest } of published) {
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue;
      const specifier = manifest.name + subpath.slice(1);
      // A command, and what an entry for Node adds, use its modules.
      const isNode = manifest.bin !== undefined || subpath.endsWith('/node');
      const { outputFiles } = await build({
        entryPoints: [join(folder, target.default)],
        bundle: true,
        format: 'esm',
        platform: isNode ? 'node' : 'browser',
        target: 'es2022',
        minify: true,
        write: false,
        external: [...native, ...Object.keys(manifest.peerDependencies ?? {})],
        logLevel: 'silent',
      });
      sizes.set(specifier, gzipSync(outputFiles[0].contents).length / 1000);
    }
  }
  return sizes;
}
