// Packs the data and builds the page: `node scripts/build.mjs [folder]`, by default to dist.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { packData } from './pack-data.mjs';

export async function buildPage(outDir = fileURLToPath(new URL('../dist', import.meta.url))) {
  await packData();
  // Vitest sets another environment, in which Vite would build for development.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url));
    await build({ root, configFile, logLevel: 'warn', build: { outDir } });
  } finally {
    process.env.NODE_ENV = NODE_ENV;
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildPage(process.argv[2]);
