import { LmdError } from '@lmd/core';

/** How WGSL sees the words of a buffer. Every dtype takes one 32-bit word an element. */
export type WordType = 'f32' | 'i32' | 'u32';

/** `u32x8` is eight words, such as the extents of a shape: `params.name[axis >> 2u][axis & 3u]`. */
export type ParameterType = WordType | 'u32x8';

/**
 * A compute shader over operands of any size. `code` reads input `x` by `x_at(index)` and writes output `y` by
 * `y_set(index, value)`, whatever number of buffers holds an operand.
 */
export interface Kernel {
  /** Identifies the code: one name, one text. */
  readonly name: string;
  readonly inputs: { readonly [name: string]: WordType };
  readonly outputs: { readonly [name: string]: WordType };
  readonly parameters: { readonly [name: string]: ParameterType };
  readonly code: string;
}

export type ParameterValues = { readonly [name: string]: number | readonly number[] };

/** Bytes that one dispatch's parameters may take: the alignment that WebGPU guarantees for uniform offsets. */
export const parameterBytes = 256;

/** The shader of a kernel whose operands, inputs before outputs, take `pages[i]` buffers of `pageWords` words each. */
export function shaderOf(kernel: Kernel, pages: readonly number[], pageWords: number): string {
  const lines = ['struct Params {'];
  for (const [name, type] of orderedParameters(kernel)) {
    lines.push(`  ${name}: ${type === 'u32x8' ? 'array<vec4<u32>, 2>' : type},`);
  }
  // WGSL has no empty structures.
  lines.push('  unused: u32,', '}', '@group(0) @binding(0) var<uniform> params: Params;');
  let binding = 1;
  const names = Object.keys(kernel.inputs).length;
  for (const [i, [name, type]] of [...Object.entries(kernel.inputs), ...Object.entries(kernel.outputs)].entries()) {
    const count = pages[i]!;
    const output = i >= names;
    for (let page = 0; page < count; page++) {
      const access = output ? 'read_write' : 'read';
      lines.push(`@group(0) @binding(${binding++}) var<storage, ${access}> ${name}_${page}: array<${type}>;`);
    }
    const cases = Array.from({ length: count }, (_, page) => {
      const place = `${name}_${page}[${page === 0 ? 'i' : `i - ${page * pageWords}u`}]`;
      const action = output ? `${place} = value;` : `return ${place};`;
      return page === count - 1
        ? action
        : `if (i < ${(page + 1) * pageWords}u) { ${action}${output ? ' return;' : ''} }`;
    });
    const signature = output ? `${name}_set(i: u32, value: ${type})` : `${name}_at(i: u32) -> ${type}`;
    lines.push(`fn ${signature} { ${cases.join(' ')} }`);
  }
  return `${lines.join('\n')}\n${kernel.code}`;
}

/** Arrays first, since a uniform buffer aligns them to 16 bytes; the order in which values are laid down, too. */
function orderedParameters(kernel: Kernel): [string, ParameterType][] {
  const entries = Object.entries(kernel.parameters);
  return [...entries.filter(([, type]) => type === 'u32x8'), ...entries.filter(([, type]) => type !== 'u32x8')];
}

/** Writes parameters where the shader of the kernel reads them. */
export function writeParameters(kernel: Kernel, values: ParameterValues, target: DataView, start: number): void {
  let at = start;
  for (const [name, type] of orderedParameters(kernel)) {
    const value = values[name]!;
    if (type === 'u32x8') {
      const words = value as readonly number[];
      if (words.length > 8) throw tooManyAxes(kernel, words.length);
      for (let i = 0; i < 8; i++) target.setUint32(at + 4 * i, words[i] ?? 0, true);
      at += 32;
      continue;
    }
    if (type === 'f32') target.setFloat32(at, value as number, true);
    // Signed and unsigned words alike: modulo 2^32.
    else target.setUint32(at, value as number, true);
    at += 4;
  }
}

function tooManyAxes(kernel: Kernel, axes: number): LmdError {
  return new LmdError('UNSUPPORTED', `${kernel.name}: the tensors have ${axes} axes that cannot be merged.`, {
    subject: kernel.name,
    value: axes,
    remedy: 'The WebGPU backend supports at most eight: merge axes with reshape.',
  });
}
