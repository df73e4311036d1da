import type { BlockFormat } from './block-formats.js';
import type { ElementFormat } from './element-formats.js';
import { describeValue, MxFormatError } from './errors.js';

/** Names of the ways to store a block's scale. */
const scaleKinds: readonly string[] = Object.freeze(['e8m0', 'e4m3']);

/**
 * Checks a block format record: that every field is there, in range, and agrees with the others.
 *
 * @throws MxFormatError `INVALID_ARGUMENT`, naming the field and what is allowed
 */
export function validateBlockFormat(format: BlockFormat): void {
  if (typeof format !== 'object' || format === null) {
    const remedy =
      typeof format === 'string'
        ? '`formatNamed` gives the record of a name.'
        : 'Pass a name such as "mxfp6_e3m2", or a record { name, element, blockSize, scale }.';
    throw notRecord('format', format, remedy);
  }
  const check = checkerOf(format.name, 'block format');
  check('name', format.name, typeof format.name === 'string' && format.name !== '', 'a name');
  check(
    'element',
    format.element,
    typeof format.element === 'object' && format.element !== null,
    'an element format record',
  );
  check('blockSize', format.blockSize, isWhole(format.blockSize, 1, 2 ** 31), 'a whole number from 1 to 2^31 − 1');
  check('scale', format.scale, scaleKinds.includes(format.scale), `one of ${scaleKinds.join(', ')}`);
  validateElementFormat(format.element);
}

/**
 * Checks an element format record.
 *
 * @throws MxFormatError `INVALID_ARGUMENT`, naming the field and what is allowed
 */
export function validateElementFormat(element: ElementFormat): void {
  if (typeof element !== 'object' || element === null) {
    throw notRecord('element format', element, 'Pass one of `elementFormats`, or a record of the same fields.');
  }
  const check = checkerOf(element.name, 'element format');
  const { kind, bits, exponentBits, mantissaBits, bias, hasInfinity, hasNaN } = element;
  check('name', element.name, typeof element.name === 'string' && element.name !== '', 'a name');
  check('kind', kind, kind === 'float' || kind === 'int', '"float" or "int"');
  check('bits', bits, isWhole(bits, 2, 9), 'a whole number from 2 to 8');
  check('hasInfinity', hasInfinity, typeof hasInfinity === 'boolean', 'true or false');
  check('hasNaN', hasNaN, typeof hasNaN === 'boolean', 'true or false');
  if (kind === 'int') {
    check('exponentBits', exponentBits, exponentBits === 0, '0 for two’s complement');
    check('bias', bias, bias === 0, '0 for two’s complement');
    check('mantissaBits', mantissaBits, isWhole(mantissaBits, 0, 65), 'the bits after the binary point, 0 to 64');
    check('hasInfinity', hasInfinity, !hasInfinity, 'false for two’s complement');
    check('hasNaN', hasNaN, !hasNaN, 'false for two’s complement');
  } else {
    check('exponentBits', exponentBits, isWhole(exponentBits, 1, 8), 'a whole number from 1 to 7');
    check('mantissaBits', mantissaBits, isWhole(mantissaBits, 0, 7), 'a whole number from 0 to 6');
    check(
      'bits',
      bits,
      bits === 1 + exponentBits + mantissaBits,
      `1 + exponentBits + mantissaBits = ${1 + exponentBits + mantissaBits}`,
    );
    check('bias', bias, isWhole(bias, -63, 65), 'a whole number from −63 to 64');
    check('hasNaN', hasNaN, hasNaN || !hasInfinity, 'true where there are infinities');
    check(
      'mantissaBits',
      mantissaBits,
      !hasInfinity || mantissaBits >= 1,
      '1 or more where there are infinities, which need a NaN beside them',
    );
  }
  const { emin, emax, largest } = derivedFields(element);
  check('emin', element.emin, element.emin === emin, `${emin}, from the other fields`);
  check('emax', element.emax, element.emax === emax, `${emax}, from the other fields`);
  check('largest', element.largest, element.largest === largest && largest > 0, `${largest}, from the other fields`);
}

/** What the other fields of a record imply for its exponents and its largest value. */
function derivedFields({ kind, bits, mantissaBits, bias, hasInfinity, hasNaN }: ElementFormat): {
  emin: number;
  emax: number;
  largest: number;
} {
  if (kind === 'int') {
    const emax = Math.max(bits - 2, 0) - mantissaBits;
    return { emin: emax, emax, largest: (2 ** (bits - 1) - 1) / 2 ** mantissaBits };
  }
  // The codes of the finite magnitudes run from 0; the topmost are taken by the infinity and the NaNs.
  const specials = hasInfinity ? 2 ** mantissaBits : hasNaN ? 1 : 0;
  const code = 2 ** (bits - 1) - 1 - specials;
  const field = Math.floor(code / 2 ** mantissaBits);
  const significand = code - field * 2 ** mantissaBits + (field > 0 ? 2 ** mantissaBits : 0);
  const largest = significand * 2 ** (Math.max(field, 1) - bias - mantissaBits);
  return { emin: 1 - bias, emax: Math.floor(Math.log2(largest)), largest };
}

function notRecord(subject: string, value: unknown, remedy: string): MxFormatError {
  return new MxFormatError('INVALID_ARGUMENT', `The ${subject} is ${describeValue(value)}, and no record.`, {
    subject,
    value,
    remedy,
  });
}

function isWhole(value: number, from: number, below: number): boolean {
  return Number.isInteger(value) && value >= from && value < below;
}

function checkerOf(name: unknown, what: string) {
  return (field: string, value: unknown, holds: boolean, expected: string): void => {
    if (holds) return;
    throw new MxFormatError(
      'INVALID_ARGUMENT',
      `The ${what} ${describeValue(name)} has ${field} = ${describeValue(value)}.`,
      {
        subject: field,
        value,
        remedy: `It should be ${expected}.`,
      },
    );
  };
}
