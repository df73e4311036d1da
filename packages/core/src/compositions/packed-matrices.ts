import type { EagerOperations } from '../operations.js';
import {
  elementValue,
  matrixExtent,
  type PackedCodes,
  type PackedMatrix,
  rowCodes,
  rowScales,
  scaleValues,
} from '../packed-matrices.js';
import type { NamedTensors, Tensor } from '../tensor.js';

const valuesOf = ({ tensors }: PackedMatrix): Tensor => tensors.values!;

/** See `PackedMatrixKernels`. */
export function packMatrix(ops: EagerOperations, source: PackedCodes): NamedTensors {
  const { element, blockSize, scale } = source.format;
  const { rows, terms } = matrixExtent(source);
  const elements = Array.from({ length: 2 ** element.bits }, (_, code) => elementValue(element, code));
  const scales = scaleValues(scale, source.tensorScale);
  const values = new Float32Array(rows * terms);
  const [codes, bytes] = [new Uint8Array(terms), new Uint8Array(Math.ceil(terms / blockSize))];
  for (let row = 0; row < rows; row++) {
    rowCodes(source, [row, row + 1], codes, terms);
    rowScales(source, row, bytes, 0);
    for (let term = 0; term < terms; term++) {
      values[row * terms + term] = elements[codes[term]!]! * scales[bytes[Math.floor(term / blockSize)]!]!;
    }
  }
  return { values: ops.fromData(values, [rows, terms]) };
}

/** See `PackedMatrixKernels`. */
export function packedMatmul(ops: EagerOperations, x: Tensor, matrix: PackedMatrix): Tensor {
  return ops.matmul(x, valuesOf(matrix), { transposeB: true });
}

/** See `PackedMatrixKernels`. */
export function packedRows(ops: EagerOperations, matrix: PackedMatrix, indices: Tensor): Tensor {
  return ops.gather(valuesOf(matrix), indices);
}

/** See `PackedMatrixKernels`. */
export function decodeMatrix(ops: EagerOperations, matrix: PackedMatrix): Tensor {
  const values = valuesOf(matrix);
  return ops.reshape(values, values.shape);
}
