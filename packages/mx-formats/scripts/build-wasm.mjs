/**
 * Compiles `assembly/` to WebAssembly and writes it, as base64, to `src/wasm/module.generated.ts`. The file is
 * committed, so that neither tests nor users need the compiler; a test compiles again and compares.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('..', import.meta.url));
export const generatedFile = `${folder}src/wasm/module.generated.ts`;

/** The text of the generated file. */
export async function compile() {
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
      '--enable=simd',
      '--enable=bulk-memory',
      '--importMemory',
      '--initialMemory=1',
      '--maximumMemory=65536',
    ],
    {
      baseDir: folder,
      writeFile: (name, contents) => outputs.set(name, contents),
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  const base64 = Buffer.from(outputs.get('module.wasm')).toString('base64');
  return `// Made by scripts/build-wasm.mjs from assembly/: do not edit.\nexport const wasmBase64 =\n  '${base64}';\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(generatedFile, await compile());
