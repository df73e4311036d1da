/**
 * Compiles `assembly/` to WebAssembly and writes to `src/wasm` the module, (`module.generated.ts`), and the
 * interface of its functions (`kernels.generated.ts`). The files are committed, so that neither tests nor users need
 * the compiler; a test compiles again and compares.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { argumentsText, compileAssembly, interfaceText, isKernel, moduleText } from '../../../asc.shared.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const head = '// Made by scripts/build-wasm.mjs from assembly/: do not edit.';
const setUp = ['initialize', 'workspaceBytes'];

/** The generated files: path and text. */
export async function compile() {
  const { hex, functions } = await compileAssembly(asc, folder, ['--initialMemory=1']);
  const kernels = functions.filter(isKernel);
  const interfaces = [
    head,
    '',
    interfaceText(
      'InMemoryKernels',
      [
        'The kernels of `kernelModule` that round tensors where they lie. Each does the part `from` to `to` of its ' +
          'range. Addresses are bytes, multiples of 4; source and target must not overlap, but up to 12 bytes beyond ' +
          'the end of the source may be read.',
      ],
      functions.filter((one) => kernels.includes(one) || setUp.includes(one.name)),
    ),
    interfaceText(
      'WasmExports',
      ['What works on the memory of the package itself. Addresses are bytes, sizes are elements.'],
      functions.filter((one) => !kernels.includes(one)),
    ),
    argumentsText({ type: 'InMemoryArguments', order: 'inMemoryOrder' }, kernels),
  ];
  return [
    [`${folder}src/wasm/module.generated.ts`, moduleText(head, hex)],
    [`${folder}src/wasm/kernels.generated.ts`, interfaces.join('\n')],
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await compile()) await writeFile(path, text);
}
