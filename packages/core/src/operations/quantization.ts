import { compositions } from '../compositions/index.js';
import { describeValue, LmdError } from '../errors.js';
import type { BlockFormat, FakeQuantizeOptions } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { assertRandomKey } from '../random/random-key.js';
import { roundingDefaults, roundingOptionTable } from '../rounding-options.js';
import { sizeOf, type Tensor } from '../tensor.js';
import { type Check, type Context, checkChoice, checkOptions, floats } from './context.js';
import { normalizeAxis } from './shapes.js';

export type QuantizationOperations = Pick<EagerOperations, 'fakeQuantize' | 'roundToBfloat16'>;

const known = ['format', 'axis', ...Object.keys(roundingOptionTable), 'key'];

export function quantizationOperations(context: Context, operations: () => EagerOperations): QuantizationOperations {
  const { backend, track, alias } = context;
  const check: Check = context.check;
  const { fused } = backend;

  return {
    fakeQuantize(x, options) {
      const name = 'fakeQuantize';
      check(name, x, floats);
      const resolved = resolveOptions(name, x, options);
      if (sizeOf(x.shape) === 0) return alias(name, x);
      return fused.fakeQuantize
        ? track(name, fused.fakeQuantize(x, resolved))
        : compositions.fakeQuantize(operations(), x, resolved);
    },

    roundToBfloat16(x) {
      const name = 'roundToBfloat16';
      check(name, x, floats);
      if (sizeOf(x.shape) === 0) return alias(name, x);
      return fused.roundToBfloat16
        ? track(name, fused.roundToBfloat16(x))
        : compositions.roundToBfloat16(operations(), x);
    },
  };
}

/** Kernels count the elements of a block in signed 32-bit integers. */
const largestBlockSize = 2 ** 31 - 1;

/** Whether a record has what the compositions read; the packages that define formats check what their fields say. */
export function isFormat(format: BlockFormat): boolean {
  if (typeof format !== 'object' || format === null) return false;
  const { name, scale, element } = format;
  if (typeof name !== 'string' || typeof scale !== 'string' || typeof element !== 'object' || element === null)
    return false;
  const { kind, mantissaBits, emin, emax, largest } = element;
  return (kind === 'float' || kind === 'int') && [mantissaBits, emin, emax].every(Number.isInteger) && largest > 0;
}

/** Defaults filled in, the axis counted from the start. */
export function resolveOptions(name: string, x: Tensor, options: FakeQuantizeOptions) {
  checkOptions(name, options, known);
  const { format, rounding = roundingDefaults.rounding, scaleMode = roundingDefaults.scaleMode, key } = options;
  if (!isFormat(format)) {
    throw new LmdError('INVALID_ARGUMENT', `${name}: format is ${describeValue(format)}.`, {
      subject: 'format',
      value: format,
      remedy: 'Pass the record of a block format, such as one of those in @lmd/mx-formats.',
    });
  }
  const { blockSize } = format;
  if (!Number.isInteger(blockSize) || blockSize < 1 || blockSize > largestBlockSize) {
    throw new LmdError('INVALID_ARGUMENT', `${name}: format.blockSize is ${describeValue(blockSize)}.`, {
      subject: 'format.blockSize',
      value: blockSize,
      remedy: `Use a whole number from 1 to ${largestBlockSize}; a block never extends beyond its row.`,
    });
  }
  checkChoice(name, 'rounding', rounding, roundingOptionTable.rounding.choices);
  checkChoice(name, 'scaleMode', scaleMode, roundingOptionTable.scaleMode.choices);
  const resolved = { format, axis: normalizeAxis(name, options.axis, x.shape.length), rounding, scaleMode };
  if (rounding !== 'stochastic') return resolved;
  if (key === undefined) {
    throw new LmdError('INVALID_ARGUMENT', `${name}: stochastic rounding without a key.`, {
      subject: 'key',
      value: key,
      remedy: 'Pass a random key in `key`.',
    });
  }
  assertRandomKey(key, name);
  return { ...resolved, key };
}
