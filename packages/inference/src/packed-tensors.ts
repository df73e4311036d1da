import { foreignSettings, LmdError, type PackedCodes, parseForeignJson, sizeOf } from '@lmd/core';
import {
  type BlockFormat,
  dequantize,
  formatNamed,
  formats,
  type MxTensor,
  quantize,
  type RandomKey,
  type Rounding,
  type ScaleMode,
} from '@lmd/mx-formats';
import { type SafetensorsDtype, type SafetensorsTensor, tensorFrom, toFloat32Array } from '@lmd/safetensors';

/**
 * Packed weights in a safetensors file: `<weight>.codes` with the weight's shape, `<weight>.scales` with one scale a
 * block, and for formats with E4M3 scales `<weight>.tensorScale`. The metadata key `packed` has the format and axes as
 * JSON (`PackedWeights`).
 */
export const packedKey = 'packed';

/** The metadata of a packed file. */
export interface PackedWeights {
  /** Name of the block format. */
  readonly format: string;
  /** By weight: the axis along which its blocks run, the one that the forward product contracts. */
  readonly axes: { readonly [weight: string]: number };
}

const packedParts = ['codes', 'scales', 'tensorScale'] as const;

/**
 * The weight and the part that a tensor of a packed file belongs to; undefined for a tensor that is not packed.
 */
export function packedPart(packed: PackedWeights | undefined, tensor: string) {
  const [, weight, part] = /^(.*)\.(codes|scales|tensorScale)$/s.exec(tensor) ?? [];
  if (packed === undefined || weight === undefined || !Object.hasOwn(packed.axes, weight)) return undefined;
  return { weight, part: part as (typeof packedParts)[number] };
}

/**
 * Parses the metadata of packed weights; undefined if the file has none.
 *
 * @throws LmdError `DATA_CORRUPT` for invalid metadata.
 */
export function packedWeightsOf(metadata: Readonly<Record<string, string>>, path: string): PackedWeights | undefined {
  const text = metadata[packedKey];
  if (text === undefined) return undefined;
  const settings = foreignSettings(parseForeignJson(text, `${path}: the metadata "${packedKey}"`), {
    file: `${path}: the metadata "${packedKey}"`,
    known: { format: 'used', axes: 'used' },
    code: 'DATA_CORRUPT',
  });
  const remedy = 'Write the file again with lmd quantize.';
  const format = settings.choice('format', Object.fromEntries(Object.keys(formats).map((name) => [name, name])));
  const axes = settings.value('axes');
  const isRecord = typeof axes === 'object' && axes !== null && !Array.isArray(axes);
  if (!isRecord || !Object.values(axes).every((axis) => Number.isSafeInteger(axis) && axis >= 0)) {
    return settings.refuse('axes', `It must be the axis of each weight. ${remedy}`);
  }
  return { format, axes: axes as PackedWeights['axes'] };
}

const codeTypes: Readonly<Record<string, SafetensorsDtype>> = {
  e5m2: 'F8_E5M2',
  e4m3: 'F8_E4M3',
  e3m2: 'F6_E3M2',
  e2m3: 'F6_E2M3',
  e2m1: 'F4',
  int8: 'I8',
};

/** Whether a weight's codes fill whole bytes, as a safetensors file needs. */
export function canPack(format: BlockFormat, shape: readonly number[]): boolean {
  return (shape.reduce((product, size) => product * size, 1) * format.element.bits) % 8 === 0;
}

export interface PackOptions {
  readonly format: string;
  readonly rounding: Rounding;
  readonly scaleMode: ScaleMode;
  readonly key?: RandomKey;
}

/** One weight as the tensors of a packed file. */
export function packTensor(
  name: string,
  values: Float32Array,
  shape: readonly number[],
  { key, ...options }: PackOptions & { readonly axis: number },
): [string, SafetensorsTensor][] {
  const format = formatNamed(options.format as Parameters<typeof formatNamed>[0]);
  const packed = quantize(values, { ...options, format, shape, ...(key === undefined ? {} : { key }) });
  const scaleShape = shape.map((size, axis) => (axis === packed.axis ? Math.ceil(size / packed.blockSize) : size));
  const scaleType = format.scale === 'e8m0' ? 'F8_E8M0' : 'F8_E4M3';
  return [
    [`${name}.codes`, { dtype: codeTypes[format.element.name]!, shape: [...shape], data: packed.codes }],
    [`${name}.scales`, { dtype: scaleType, shape: scaleShape, data: packed.scales }],
    ...(format.scale === 'e8m0'
      ? []
      : [
          [`${name}.tensorScale`, tensorFrom(new Float32Array([packed.tensorScale]), [])] as [
            string,
            SafetensorsTensor,
          ],
        ]),
  ];
}

type Read = (name: string) => Promise<SafetensorsTensor>;

/** The decoded values. `read` returns tensors of the file. Throws `DATA_CORRUPT` naming the weight. */
export function unpackWeight(
  name: string,
  packed: PackedWeights,
  read: Read,
): Promise<{ readonly data: Float32Array; readonly shape: readonly number[] }> {
  return readWeight(name, packed, read, (tensor) => ({
    // Nothing to decode, for any number of empty rows.
    data: sizeOf(tensor.shape) === 0 ? new Float32Array(0) : dequantize(tensor),
    shape: tensor.shape,
  }));
}

/** The codes of the file, for products that contract `axis`. Throws `DATA_CORRUPT` naming the weight. */
export function packedWeight(name: string, packed: PackedWeights, read: Read, axis: number): Promise<PackedCodes> {
  return readWeight(name, packed, read, (tensor) => {
    if (tensor.axis === axis) return tensor;
    throw new Error(`its blocks run along axis ${tensor.axis}, but its product contracts axis ${axis}`);
  });
}

async function readWeight<Result>(
  name: string,
  { format: formatName, axes }: PackedWeights,
  read: Read,
  result: (tensor: MxTensor) => Result,
): Promise<Result> {
  try {
    const format = formatNamed(formatName as Parameters<typeof formatNamed>[0]);
    const [codes, scales] = [await read(`${name}.codes`), await read(`${name}.scales`)];
    const expected = codeTypes[format.element.name]!;
    if (codes.dtype !== expected) throw new Error(`its codes are ${codes.dtype}, not ${expected}`);
    const packed: MxTensor = {
      format,
      shape: codes.shape,
      axis: axes[name]!,
      blockSize: format.blockSize,
      scales: scales.data,
      codes: codes.data,
      tensorScale: format.scale === 'e8m0' ? 1 : toFloat32Array(await read(`${name}.tensorScale`))[0]!,
    };
    return result(packed);
  } catch (cause) {
    throw new LmdError('DATA_CORRUPT', `The packed weight ${name} cannot be read: ${(cause as Error).message}`, {
      subject: name,
      value: formatName,
      remedy: 'Write the file again with lmd quantize.',
      cause,
    });
  }
}
