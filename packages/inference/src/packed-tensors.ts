import { foreignSettings, parseForeignJson } from '@lmd/core';
import { type BlockFormat, formats } from '@lmd/mx-formats';

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

/** Whether a weight's codes fill whole bytes, as a safetensors file needs. */
export function canPack(format: BlockFormat, shape: readonly number[]): boolean {
  return (shape.reduce((product, size) => product * size, 1) * format.element.bits) % 8 === 0;
}
