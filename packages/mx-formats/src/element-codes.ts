import { checkByteArray, checkFloats } from './arrays.js';
import { type ElementFormat, elementFormats } from './element-formats.js';
import { describeValue, MxFormatError } from './errors.js';
import { type Grid, gridOfElement, gridOffset } from './grid.js';
import { type Rounding, roundings } from './options.js';
import { roundToGrid, wordsOf } from './round-block.js';

/** The name of one of the element formats in `elementFormats`. */
export type ElementName = keyof typeof elementFormats;

const quietNaN = 0x7fc00000;
const infinity = 0x7f800000;

/** The float32 bits of every code. */
const decodeTables = new WeakMap<ElementFormat, Int32Array>();

/** The float32 bits of every code of an element format, by code. */
export function decodeTable(element: ElementFormat): Int32Array {
  let table = decodeTables.get(element);
  if (table === undefined) {
    gridOfElement(element);
    table = Int32Array.from({ length: 2 ** element.bits }, (_, code) => decodedBits(element, code));
    decodeTables.set(element, table);
  }
  return table;
}

function decodedBits(element: ElementFormat, code: number): number {
  const { kind, bits, mantissaBits, exponentBits, bias, hasInfinity, hasNaN } = element;
  const half = 2 ** (bits - 1);
  const magnitude = code % half;
  const negative = code >= half;
  if (kind === 'int') return floatBits((negative ? code - 2 * half : code) / 2 ** mantissaBits);
  const sign = negative ? 0x80000000 | 0 : 0;
  const field = magnitude >> mantissaBits;
  const mantissa = magnitude % 2 ** mantissaBits;
  if (hasInfinity && field === 2 ** exponentBits - 1) return sign | infinity | (mantissa << (23 - mantissaBits));
  if (!hasInfinity && hasNaN && magnitude === half - 1) return sign | quietNaN;
  const significand = field === 0 ? mantissa : mantissa + 2 ** mantissaBits;
  return sign | floatBits(significand * 2 ** (Math.max(field, 1) - bias - mantissaBits));
}

const scratch = wordsOf(new Float32Array(1));

function floatBits(value: number): number {
  scratch.floats[0] = value;
  return scratch.bits[0]!;
}

/**
 * The code of a value in an element format, without any scale. A finite magnitude beyond the largest saturates; a value
 * that has a code gets that code, the most negative one of two's complement included. Infinities become the format's
 * infinity, or else its NaN; a NaN, whose bits a number does not show, becomes the positive quiet one.
 *
 * @param rounding any but `stochastic`, which needs random numbers and so a tensor
 * @throws MxFormatError `UNSUPPORTED` for a NaN or an infinity in a format without codes for them; `INVALID_ARGUMENT`
 *   for an unknown format or rounding
 */
export function encodeElement(
  value: number,
  format: ElementName | ElementFormat,
  rounding: Exclude<Rounding, 'stochastic'> = 'nearestEven',
): number {
  const grid = gridOfElement(elementNamed(format));
  checkRounding(rounding);
  if (typeof value !== 'number') {
    throw new MxFormatError('INVALID_ARGUMENT', `The value is ${describeValue(value)}.`, {
      subject: 'value',
      value,
      remedy: 'Use a number.',
    });
  }
  // Not through float32 for a finite value: that would round twice.
  if (Number.isFinite(value)) return finiteCode(grid, value, rounding);
  return specialCode(grid.element, Number.isNaN(value) ? quietNaN : floatBits(value), value);
}

/** The value of a code. NaN codes give NaN. @throws MxFormatError `INVALID_ARGUMENT` for a code that is out of range */
export function decodeElement(code: number, format: ElementName | ElementFormat): number {
  const element = elementNamed(format);
  const table = decodeTable(element);
  if (!Number.isInteger(code) || code < 0 || code >= table.length) throw badCode(element, code);
  scratch.bits[0] = table[code]!;
  return scratch.floats[0]!;
}

/**
 * The codes of many values, one byte each, as by `encodeElement`. NaNs keep their sign, and their payload where the
 * format has room for one, so that every code survives decoding and encoding.
 */
export function encodeElements(
  values: Float32Array,
  format: ElementName | ElementFormat,
  rounding: Exclude<Rounding, 'stochastic'> = 'nearestEven',
): Uint8Array {
  checkFloats('values', values);
  const grid = gridOfElement(elementNamed(format));
  checkRounding(rounding);
  const { floats, bits } = wordsOf(values);
  const codes = new Uint8Array(values.length);
  for (let i = 0; i < codes.length; i++) {
    const word = bits[i]!;
    codes[i] =
      (word & 0x7fffffff) < infinity
        ? finiteCode(grid, floats[i]!, rounding)
        : specialCode(grid.element, word, floats[i]!);
  }
  return codes;
}

/** The values of many codes. @throws MxFormatError `INVALID_ARGUMENT` for a code that is out of range */
export function decodeElements(codes: Uint8Array, format: ElementName | ElementFormat): Float32Array {
  checkByteArray('codes', codes);
  const element = elementNamed(format);
  const table = decodeTable(element);
  const out = wordsOf(new Float32Array(codes.length));
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code >= table.length) throw badCode(element, code);
    out.bits[i] = table[code]!;
  }
  return out.floats;
}

function elementNamed(format: ElementName | ElementFormat): ElementFormat {
  if (typeof format !== 'string') return format;
  if (!Object.hasOwn(elementFormats, format)) {
    throw new MxFormatError('INVALID_ARGUMENT', `Unknown element format ${describeValue(format)}.`, {
      subject: 'format',
      value: format,
      remedy: `Use one of ${Object.keys(elementFormats).join(', ')}, or pass a custom record.`,
    });
  }
  return elementFormats[format];
}

function checkRounding(rounding: string): void {
  if (rounding === 'stochastic' || !(roundings as readonly string[]).includes(rounding)) {
    throw new MxFormatError(
      'INVALID_ARGUMENT',
      `The rounding of an element without a scale is ${describeValue(rounding)}.`,
      {
        subject: 'rounding',
        value: rounding,
        remedy: 'Use nearestEven, nearestAway or towardZero; for stochastic rounding use `quantize` or `fakeQuantize`.',
      },
    );
  }
}

function badCode(element: ElementFormat, code: number): MxFormatError {
  return new MxFormatError('INVALID_ARGUMENT', `${describeValue(code)} is not a code of ${element.name}.`, {
    subject: 'code',
    value: code,
    remedy: `Use whole numbers from 0 to ${2 ** element.bits - 1}. Call \`unpack\` first for packed data.`,
  });
}

function finiteCode(grid: Grid, value: number, rounding: Rounding): number {
  const { element, largestCode } = grid;
  const magnitude = Math.abs(value);
  const negative = value < 0 || Object.is(value, -0);
  const half = 2 ** (element.bits - 1);
  if (element.kind === 'int' && value === -half / 2 ** element.mantissaBits) return half;
  let code = largestCode;
  if (magnitude < grid.largest) {
    const exponent = Math.max(floorLog2(magnitude), -gridOffset);
    const index = exponent + gridOffset;
    const rounded = roundToGrid(magnitude, grid.magic[index]!, grid.quanta[index]!, rounding, 0);
    code = Math.min(grid.firstCodes[index]! + rounded * grid.inverseQuanta[index]!, largestCode);
  }
  if (!negative) return code;
  return element.kind === 'int' ? (2 * half - code) % (2 * half) : half + code;
}

const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);
double[0] = 1;
const highWord = doubleBits[1] === 0x3ff00000 ? 1 : 0;

/** ⌊log2⌋ of a positive number; of zero and of subnormal float64, something below −1000. */
function floorLog2(magnitude: number): number {
  double[0] = magnitude;
  return (doubleBits[highWord]! >>> 20) - 1023;
}

function specialCode(element: ElementFormat, word: number, value: number): number {
  const { bits, mantissaBits, exponentBits, hasInfinity, hasNaN } = element;
  if (!hasNaN) {
    throw new MxFormatError('UNSUPPORTED', `${element.name} has no code for ${value}.`, {
      subject: 'value',
      value,
      remedy: 'Use `quantize`: in a block format the scale encodes it.',
    });
  }
  const half = 2 ** (bits - 1);
  const sign = word < 0 ? half : 0;
  if (!hasInfinity) return sign + half - 1;
  const top = (2 ** exponentBits - 1) << mantissaBits;
  if ((word & 0x7fffff) === 0) return sign + top;
  const payload = (word & 0x7fffff) >> (23 - mantissaBits);
  return sign + top + (payload === 0 ? 2 ** (mantissaBits - 1) : payload);
}
