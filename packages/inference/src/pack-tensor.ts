import { formatNamed, quantize, type RandomKey, type Rounding, type ScaleMode } from '@lmd/mx-formats';
import { type SafetensorsTensor, tensorFrom } from '@lmd/safetensors';
import { codeTypes } from './packed-codes.js';

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
