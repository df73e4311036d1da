import { compositions } from '../compositions/index.js';
import { describeValue, LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import { canPackMatrix, elementValue, matrixExtent, type PackedCodes, type PackedMatrix } from '../packed-matrices.js';
import { isTypedArray, sizeOf } from '../tensor.js';
import { type Check, type Context, checkRecord, floats, integers } from './context.js';
import { isFormat } from './quantization.js';
import { formatShape, shapeMismatch } from './shapes.js';

export type PackedMatrixOperations = Pick<
  EagerOperations,
  'packMatrix' | 'packedMatmul' | 'packedRows' | 'decodeMatrix'
>;

export function packedMatrixOperations(context: Context, operations: () => EagerOperations): PackedMatrixOperations {
  const { backend, constant, size, track } = context;
  const check: Check = context.check;
  const { packMatrix, packedMatmul, packedRows, decodeMatrix } = backend.fused;
  // The tensors of a matrix are of one making.
  const kernels =
    packMatrix && packedMatmul && packedRows && decodeMatrix
      ? { packMatrix, packedMatmul, packedRows, decodeMatrix }
      : undefined;

  function checkMatrix(name: string, { tensors }: PackedMatrix): void {
    for (const x of Object.values(tensors)) check(name, x);
  }

  return {
    packMatrix(source) {
      const name = 'packMatrix';
      checkCodes(name, source);
      size(name, source.shape);
      const { format, shape, axis } = source;
      const matrix = { format, shape: [...shape], axis };
      if (sizeOf(shape) === 0) return { ...matrix, tensors: {} };
      if (kernels === undefined) return { ...matrix, tensors: compositions.packMatrix(operations(), source) };
      const tensors = kernels.packMatrix(source);
      for (const part of Object.values(tensors)) track(name, part);
      return { ...matrix, tensors };
    },

    packedMatmul(x, matrix) {
      const name = 'packedMatmul';
      check(name, x, floats);
      checkMatrix(name, matrix);
      const { rows, terms } = matrixExtent(matrix);
      const lead = x.shape.slice(0, -1);
      if (x.shape.length === 0 || x.shape.at(-1) !== terms) {
        const problem = `${formatShape(x.shape)} · ${formatShape(matrix.shape)} along axis ${matrix.axis}: the last axis of x must have ${terms}.`;
        throw shapeMismatch(name, problem, [x.shape, matrix.shape]);
      }
      const result = [...lead, rows];
      if (size(name, result) === 0 || terms === 0) return constant(name, result, 0, 'f32');
      const ops = operations();
      return ops.scope(() => {
        const flat = ops.reshape(x, [sizeOf(lead), terms]);
        check(name, flat, floats);
        const product =
          kernels === undefined
            ? compositions.packedMatmul(ops, flat, matrix)
            : track(name, kernels.packedMatmul(flat, matrix));
        return ops.reshape(product, result);
      });
    },

    packedRows(matrix, indices) {
      const name = 'packedRows';
      checkMatrix(name, matrix);
      check(name, indices, integers);
      const { rows, terms } = matrixExtent(matrix);
      const result = [...indices.shape, terms];
      if (size(name, result) === 0) return constant(name, result, 0, 'f32');
      // Every index is out of range.
      if (rows === 0) return constant(name, result, Number.NaN, 'f32');
      return kernels === undefined
        ? compositions.packedRows(operations(), matrix, indices)
        : track(name, kernels.packedRows(matrix, indices));
    },

    decodeMatrix(matrix) {
      const name = 'decodeMatrix';
      checkMatrix(name, matrix);
      const { rows, terms } = matrixExtent(matrix);
      if (size(name, [rows, terms]) === 0) return constant(name, [rows, terms], 0, 'f32');
      return kernels === undefined
        ? compositions.decodeMatrix(operations(), matrix)
        : track(name, kernels.decodeMatrix(matrix));
    },
  };
}

/** Everything that could be wrong with codes that come from a file, before memory is taken for them. */
function checkCodes(name: string, source: PackedCodes): void {
  checkRecord(name, 'source', source);
  const { format, shape, axis, codes, scales, tensorScale = 1 } = source;
  const refuse = (subject: string, value: unknown, remedy: string): never => {
    throw new LmdError('INVALID_ARGUMENT', `${name}: ${subject} is ${describeValue(value)}.`, {
      subject,
      value,
      remedy,
    });
  };
  if (!isFormat(format)) refuse('format', format, 'Use a block format, such as one of @lmd/mx-formats.');
  if (!canPackMatrix(format)) {
    throw new LmdError('UNSUPPORTED', `${name}: weights of the format "${format.name}" cannot be packed.`, {
      subject: 'format',
      value: format.name,
      remedy: 'Use a format of OCP MX or NVFP4, in blocks of 16 times a power of two; see canPackMatrix.',
    });
  }
  const isShape = Array.isArray(shape) && shape.length === 2 && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isShape) refuse('shape', shape, 'A packed matrix has two axes.');
  if (axis !== 0 && axis !== 1) refuse('axis', axis, 'Use 0 or 1, the axis that the product contracts.');
  const isE8m0 = format.scale === 'e8m0';
  if (!(tensorScale > 0 && Number.isFinite(tensorScale)) || (isE8m0 && tensorScale !== 1)) {
    refuse('tensorScale', tensorScale, isE8m0 ? 'Formats with e8m0 scales have none.' : 'Use a positive number.');
  }
  const { rows, terms } = matrixExtent(source);
  const { bits } = format.element;
  const lengths = {
    codes: [codes, Math.ceil((rows * terms * bits) / 8)],
    scales: [scales, rows * Math.ceil(terms / format.blockSize)],
  } as const;
  for (const [subject, [bytes, expected]] of Object.entries(lengths)) {
    if (!isTypedArray(bytes, 'Uint8Array')) refuse(subject, bytes, 'Pass a Uint8Array.');
    if (bytes.length === expected) continue;
    const problem = `there are ${bytes.length} bytes of ${subject} for ${formatShape(shape)} along axis ${axis} in ${format.name}.`;
    throw shapeMismatch(name, problem, bytes.length, `It takes ${expected}.`);
  }
  checkValues(name, source);
}

/**
 * Refuses codes of NaN and of infinities, and the least integer, −128 of 8 bits, which has no positive counterpart: no
 * quantizer of OCP MX that keeps to its symmetric range gives it, and a product of integers could not take it at the
 * same scale.
 */
function checkValues(name: string, { format: { element }, codes }: PackedCodes): void {
  const { kind, bits, hasNaN, hasInfinity } = element;
  if (kind === 'float' && !hasNaN && !hasInfinity) return;
  const fits = (code: number) =>
    kind === 'int' ? code !== 2 ** (bits - 1) : Number.isFinite(elementValue(element, code));
  const byteFits = (byte: number) => (bits === 4 ? fits(byte & 15) && fits(byte >> 4) : fits(byte));
  const bad = Uint8Array.from({ length: 256 }, (_, byte) => (byteFits(byte) ? 0 : 1));
  for (let i = 0; i < codes.length; i++) {
    if (bad[codes[i]!] === 0) continue;
    throw new LmdError(
      'DATA_CORRUPT',
      `${name}: byte ${i} of the codes is ${codes[i]}, which is not a valid weight of ${element.name}.`,
      {
        subject: 'codes',
        value: codes[i],
        remedy: 'NaN, infinities and the lowest integer are not valid weights. Quantize the model again.',
      },
    );
  }
}
