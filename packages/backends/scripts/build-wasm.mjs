/**
 * Compiles `assembly/` to WebAssembly, once with plain SIMD and once with relaxed SIMD (fused multiply-add), and writes
 * both, as base64, to `src/cpu/wasm/module.generated.ts`. The file is committed, so that neither tests nor users need
 * the compiler; a test compiles again and compares.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('..', import.meta.url));
export const generatedFile = `${folder}src/cpu/wasm/module.generated.ts`;

async function compileWith(features) {
  const outputs = new Map();
  const { error, stderr } = await asc.main(
    [
      'assembly/index.ts',
      '--outFile=module.wasm',
      '--optimizeLevel=3',
      '--shrinkLevel=0',
      '--converge',
      '--noAssert',
      '--runtime=stub',
      '--importMemory',
      '--initialMemory=32',
      '--maximumMemory=65536',
      ...['simd', 'bulk-memory', ...features].map((feature) => `--enable=${feature}`),
    ],
    { baseDir: folder, writeFile: (name, contents) => outputs.set(name, contents) },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return Buffer.from(outputs.get('module.wasm')).toString('base64');
}

/** The text of the generated file. */
export async function compile() {
  const strict = await compileWith([]);
  const fused = await compileWith(['relaxed-simd']);
  return [
    '// Made by scripts/build-wasm.mjs from assembly/: do not edit.',
    'export const wasmBase64 = {',
    `  strict:\n    '${strict}',`,
    `  fused:\n    '${fused}',`,
    '};\n',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(generatedFile, await compile());
