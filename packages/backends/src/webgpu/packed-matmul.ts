import {
  type BlockFormat,
  checkOperations,
  type EagerOperations,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type RandomKey,
  resolveOptions,
  roundingOptionTable,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import { type MxTensor, pack, packedLength, unpack } from '@lmd/mx-formats';
import { thisBackends } from '../made-by.js';
import { checkFormat } from './block-scales.js';
import type { Context } from './context.js';
import { microscalingValues } from './microscaling.js';
import { type PackedMatrix, packedBlock, packKernel, unpackKernel } from './packed-matrix.js';
import { codeTable, packedGroups, packedMatrixKernel, packedVectorKernel, vectorRows } from './packed-product.js';
import { keyValues } from './random.js';
import { contexts } from './webgpu-backend.js';

/** The options of `pack`, declared once. */
export const packOptionTable = {
  /** An MX format with blocks of 32, such as `formats.mxfp4_e2m1`. An object; required. */
  format: option.object<BlockFormat>({
    required: true,
    describe: 'An MX format with blocks of 32, such as `formats.mxfp4_e2m1`.',
  }),
  /** Contraction axis: 0 (default) for [inputs, outputs], the layout of the models; 1 for [outputs, inputs]. 0 or 1. */
  axis: option.value<0 | 1>({
    describe: 'Contraction axis: 0 (default) for [inputs, outputs], the layout of the models; 1 for [outputs, inputs].',
    allowed: '0 or 1',
    check: (value) => value === 0 || value === 1,
  }),
  ...roundingOptionTable,
  /** Random key of stochastic rounding; required by it. An object. */
  key: option.object<RandomKey>({ describe: 'Random key of stochastic rounding; required by it.' }),
} as const satisfies OptionTable;

export interface PackOptions extends OptionsOf<typeof packOptionTable> {}

/** Matrix products with weights that stay packed in device memory. */
export interface PackedMatmul {
  /** Quantizes a matrix [inputs, outputs] on the device. `weights` stays as it is. */
  pack(weights: Tensor, options: PackOptions): PackedMatrix;
  /** Uploads what `quantize` of `@lmd/mx-formats`, or a file, has packed along axis 0 or 1 of a matrix. */
  fromMx(matrix: MxTensor): PackedMatrix;
  /** Reads the codes back, as `quantize` gives them. */
  toMx(matrix: PackedMatrix): Promise<MxTensor>;
  /** The f32 values that the codes stand for, in the shape of what was packed: those of `fakeQuantize`, to the bit. */
  unpack(matrix: PackedMatrix): Tensor;
  /** x [..., inputs] times the matrix → [..., outputs], decoded inside the kernel. Not recorded on a tape. */
  matmul(x: Tensor, matrix: PackedMatrix): Tensor;
  /** Frees the codes. A packed matrix belongs to no scope. */
  dispose(matrix: PackedMatrix): void;
}

/**
 * Products with packed weights for the operations of a WebGPU backend. A matrix takes 7.5 (MXFP4), 5.1 (MXFP6) or 3.9
 * (MXFP8) times less memory than in f32, and a product with few rows reads as much less. The result is that of the f32
 * product with `fakeQuantize`d weights, to the bound of a sum of `inputs` terms.
 *
 * @throws LmdError `INVALID_ARGUMENT` where `ops` is not on a backend of `createWebgpuBackend`
 */
export function createPackedMatmul(ops: EagerOperations): PackedMatmul {
  checkOperations(ops);
  const found = contexts.get(ops.backend);
  if (found === undefined) {
    const { name, madeBy = 'another package' } = ops.backend;
    const remedy =
      name === 'webgpu'
        ? `Pass one of this copy of ${thisBackends}. If two are installed, keep one; npm ls @lmd/backends shows both.`
        : 'Pass createOperations(await createWebgpuBackend()).';
    throw new LmdError('INVALID_ARGUMENT', `createPackedMatmul: the backend is "${name}" of ${madeBy}.`, {
      subject: 'ops',
      value: name,
      remedy,
    });
  }
  const context: Context = found;
  const { store, queue } = context;
  /** The value of every code, by format. */
  const tables = new Map<string, Tensor>();

  function tableOf({ name, element }: BlockFormat): Tensor {
    let table = tables.get(name);
    if (table === undefined) {
      table = store.adopt(queue.upload(codeTable(element)), [2 ** element.bits], 'f32');
      tables.set(name, table);
    }
    return table;
  }

  function wrap(format: BlockFormat, axis: 0 | 1, inputs: number, outputs: number): PackedMatrix {
    const blocks = outputs * Math.ceil(inputs / packedBlock);
    const codes = context.allocate([blocks * format.element.bits], 'i32');
    const scales = context.allocate([Math.ceil(blocks / 4)], 'i32');
    return { format, axis, inputs, outputs, codes, scales, bytes: 4 * (sizeOf(codes.shape) + sizeOf(scales.shape)) };
  }

  function layoutValues({ format, axis, inputs, outputs }: PackedMatrix) {
    const row_blocks = Math.ceil(inputs / packedBlock);
    return {
      blocks: outputs * row_blocks,
      row_blocks,
      inputs,
      row_step: axis === 0 ? 1 : inputs,
      inner_step: axis === 0 ? outputs : 1,
      bits: format.element.bits,
    };
  }

  function check(format: BlockFormat): void {
    checkFormat('createPackedMatmul', format, ['e8m0']);
    const { bits } = format.element;
    if (format.blockSize === packedBlock && (bits === 4 || bits === 6 || bits === 8)) return;
    throw new LmdError(
      'UNSUPPORTED',
      `createPackedMatmul: ${format.name} has blocks of ${format.blockSize}, ${bits} bits each.`,
      {
        subject: 'format',
        value: format.name,
        remedy: `Use a format with blocks of ${packedBlock} and elements of 4, 6 or 8 bits.`,
      },
    );
  }

  return {
    pack(weights, options) {
      const { format, axis = 0, rounding, scaleMode, key } = resolveOptions('pack', packOptionTable, options);
      check(format);
      checkMatrix('pack', weights);
      if (rounding === 'stochastic' && key === undefined) throw invalid('key', key, 'Stochastic rounding needs a key.');
      const [rows, columns] = weights.shape as [number, number];
      const matrix = wrap(format, axis, axis === 0 ? rows : columns, axis === 0 ? columns : rows);
      const values = {
        ...layoutValues(matrix),
        ...microscalingValues(format.element, rounding, scaleMode),
        ...keyValues(key ?? { seed: 0, stream: 0, step: 0, sample: 0 }),
      };
      context.runElements(packKernel, [weights], [matrix.codes, matrix.scales], values, Math.ceil(values.blocks / 4));
      return matrix;
    },

    fromMx(tensor) {
      const { format, shape, axis } = tensor;
      check(format);
      if (shape.length !== 2 || tensor.blockSize !== packedBlock) {
        throw invalid('matrix', shape, `Pass a matrix, of shape [a, b], quantized in blocks of ${packedBlock}.`);
      }
      const [rows, columns] = shape as [number, number];
      const matrix = wrap(format, axis as 0 | 1, axis === 0 ? rows : columns, axis === 0 ? columns : rows);
      const { blocks, row_blocks, row_step, inner_step, bits, inputs } = layoutValues(matrix);
      const flat = unpack(tensor.codes, bits, rows * columns);
      const codes = new Uint8Array(blocks * packedBlock);
      const scales = new Uint8Array(4 * Math.ceil(blocks / 4));
      for (let row = 0; row < matrix.outputs; row++) {
        for (let j = 0; j < inputs; j++) {
          codes[row * row_blocks * packedBlock + j] = flat[row * row_step + j * inner_step]!;
        }
        for (let b = 0; b < row_blocks; b++) {
          scales[row * row_blocks + b] = tensor.scales[axis === 0 ? b * matrix.outputs + row : row * row_blocks + b]!;
        }
      }
      store.free(matrix.codes);
      store.free(matrix.scales);
      const words = (bytes: Uint8Array, shape: readonly number[]) =>
        store.adopt(queue.upload(new Int32Array(bytes.buffer)), shape, 'i32');
      return {
        ...matrix,
        codes: words(pack(codes, bits), matrix.codes.shape),
        scales: words(scales, matrix.scales.shape),
      };
    },

    async toMx(matrix) {
      const { format, axis, outputs } = matrix;
      const { blocks, row_blocks, row_step, inner_step, bits, inputs } = layoutValues(matrix);
      const [codeBuffer, scaleBuffer] = await Promise.all([
        queue.read(store.storage(matrix.codes)),
        queue.read(store.storage(matrix.scales)),
      ]);
      const padded = unpack(
        new Uint8Array(codeBuffer, 0, packedLength(blocks * packedBlock, bits)),
        bits,
        blocks * packedBlock,
      );
      const paddedScales = new Uint8Array(scaleBuffer);
      const codes = new Uint8Array(inputs * outputs);
      const scales = new Uint8Array(blocks);
      for (let row = 0; row < outputs; row++) {
        for (let j = 0; j < inputs; j++) {
          codes[row * row_step + j * inner_step] = padded[row * row_blocks * packedBlock + j]!;
        }
        for (let b = 0; b < row_blocks; b++) {
          scales[axis === 0 ? b * outputs + row : row * row_blocks + b] = paddedScales[row * row_blocks + b]!;
        }
      }
      const shape = axis === 0 ? [inputs, outputs] : [outputs, inputs];
      return { format, shape, axis, blockSize: packedBlock, scales, codes: pack(codes, bits), tensorScale: 1 };
    },

    unpack(matrix) {
      const { format, axis, inputs, outputs, codes, scales } = matrix;
      const values = { ...layoutValues(matrix), ...microscalingValues(format.element, 'nearestEven', 'floor') };
      return ops.adopt(
        context.make(axis === 0 ? [inputs, outputs] : [outputs, inputs], 'f32', (out) => {
          context.runElements(unpackKernel, [codes, scales], [out], values, inputs * outputs);
        }),
      );
    },

    matmul(x, matrix) {
      const { format, inputs, outputs, codes, scales } = matrix;
      if (x.dtype !== 'f32' || x.shape.length === 0 || x.shape.at(-1) !== inputs) {
        throw new LmdError(
          'SHAPE_MISMATCH',
          `packed matmul: x is ${x.dtype} [${x.shape}], the matrix takes ${inputs} inputs.`,
          {
            subject: 'x',
            value: x.shape,
            remedy: `Pass an f32 tensor [..., ${inputs}].`,
          },
        );
      }
      const rows = sizeOf(x.shape.slice(0, -1));
      const values = {
        rows,
        columns: outputs,
        depth: inputs,
        row_blocks: Math.ceil(inputs / packedBlock),
        bits: format.element.bits,
      };
      return ops.adopt(
        context.make([...x.shape.slice(0, -1), outputs], 'f32', (out) => {
          if (sizeOf(out.shape) === 0) return;
          const kernel = rows <= vectorRows ? packedVectorKernel : packedMatrixKernel;
          context.run(kernel, [x, codes, scales, tableOf(format)], [out], values, packedGroups(rows, outputs));
        }),
      );
    },

    dispose({ codes, scales }) {
      store.free(codes);
      store.free(scales);
    },
  };
}

function checkMatrix(operation: string, x: Tensor): void {
  if (x.dtype === 'f32' && x.shape.length === 2) return;
  throw new LmdError('SHAPE_MISMATCH', `${operation}: got ${x.dtype} [${x.shape}].`, {
    subject: 'weights',
    value: x.shape,
    remedy: 'Pass an f32 matrix, of shape [inputs, outputs].',
  });
}

function invalid(subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `packed matmul: ${subject} is ${String(value)}.`, { subject, value, remedy });
}
