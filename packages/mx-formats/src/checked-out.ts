import { checkFloats } from './arrays.js';
import { MxFormatError } from './errors.js';

/**
 * `out`, or a new array where there is none.
 *
 * @throws MxFormatError if `out` has another length, or partially overlaps the values
 */
export function checkedOut(values: Float32Array, out: Float32Array | undefined): Float32Array {
  checkFloats('values', values);
  if (out === undefined) return new Float32Array(values.length);
  checkLength(out, values.length);
  const distance = Math.abs(out.byteOffset - values.byteOffset);
  if (out.buffer === values.buffer && distance > 0 && distance < values.byteLength) {
    throw new MxFormatError('INVALID_ARGUMENT', `\`out\` overlaps the values, ${distance} bytes apart.`, {
      subject: 'out',
      value: distance,
      remedy: 'Pass the same elements to work in place, or memory that does not overlap.',
    });
  }
  return out;
}

export function checkLength(out: Float32Array, length: number): void {
  checkFloats('out', out);
  if (out.length !== length) {
    throw new MxFormatError('SHAPE_MISMATCH', `\`out\` has ${out.length} elements for ${length} values.`, {
      subject: 'out',
      value: out.length,
      remedy: 'Pass an array of the same length.',
    });
  }
}
