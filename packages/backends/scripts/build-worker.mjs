/**
 * Bundles `src/cpu/threads/worker.ts` to text, and writes it to `worker.generated.ts` beside it. The file is committed,
 * so that tests and bundlers need no step of their own; a test bundles again and compares.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = fileURLToPath(new URL('..', import.meta.url));
export const generatedFile = `${folder}src/cpu/threads/worker.generated.ts`;

/** The text of the generated file. */
export async function bundleWorker() {
  const { outputFiles } = await build({
    entryPoints: ['src/cpu/threads/worker.ts'],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    // A worker that is started from text is a CommonJS script.
    format: 'cjs',
    platform: 'neutral',
    target: 'es2022',
    banner: { js: "'use strict';" },
    tsconfigRaw: {},
    logLevel: 'error',
  });
  const program = outputFiles[0].text.replace(/[\\`]|\$(?=\{)/g, '\\$&');
  return [
    '// Made by scripts/build-worker.mjs from worker.ts: do not edit.',
    `export const workerProgram = \`${program}\`;\n`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(generatedFile, await bundleWorker());
