/**
 * Compiles `assembly/` to WebAssembly, once with plain SIMD and once with relaxed SIMD (fused multiply-add), and writes
 * to `src/cpu/wasm` both (`strict.generated.ts`, `fused.generated.ts`), of which a program loads one, and the interface
 * of the kernels (`kernels.generated.ts`).
 * The files are committed, so that neither tests nor users need the compiler; a test compiles again and compares.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import asc from 'assemblyscript/asc';
import { argumentsText, compileAssembly, interfaceText, isKernel } from '../../../asc.shared.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const head = '// Made by scripts/build-wasm.mjs from assembly/: do not edit.';

/** A module, compressed: a page loads 2 kB less than in hexadecimal, and the file is a quarter as large. */
function deflatedText(hex) {
  const deflated = deflateRawSync(Buffer.from(hex, 'hex'), { level: 9 }).toString('base64');
  return `${head}\nexport const deflatedWasm =\n  '${deflated}';\n`;
}

/** The generated files: path and text. */
export async function compile() {
  const { hex, functions } = await compileAssembly(asc, folder, ['--initialMemory=32']);
  const fused = await compileAssembly(asc, folder, ['--initialMemory=32', '--enable=relaxed-simd']);
  const kernels = functions.filter(isKernel);
  const interfaces = [
    head,
    '',
    interfaceText(
      'WasmKernels',
      [
        'The kernels of the module. Each does the part `from` to `to` of its range. Addresses are bytes in the ' +
          "backend's memory, sizes and strides are elements.",
      ],
      kernels,
    ),
    interfaceText(
      'WasmSetUp',
      ['What sets the module up.'],
      functions.filter((one) => !isKernel(one)),
    ),
    argumentsText({ type: 'WasmArguments', order: 'wasmOrder' }, kernels),
  ];
  return [
    [`${folder}src/cpu/wasm/strict.generated.ts`, deflatedText(hex)],
    [`${folder}src/cpu/wasm/fused.generated.ts`, deflatedText(fused.hex)],
    [`${folder}src/cpu/wasm/kernels.generated.ts`, interfaces.join('\n')],
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await compile()) await writeFile(path, text);
}
