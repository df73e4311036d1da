import type { ReferenceBackend } from '@lmd/backends/reference';
import { type EncodedOperand, type FloatTensor, hasExactProducts, sizeOf } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { type Fault, tensorOf, valuesOf, withKernel } from './fault.js';

const exactFormats = Object.values(formats).filter((format) => format.scale === 'e8m0' && hasExactProducts(format));

const named = (title: string) => exactFormats.map(({ name }) => `block products > ${name} ${title}`);

/** The operand with other scale bytes: the reference backend keeps them in a tensor of their own. */
function withScales(
  right: ReferenceBackend,
  operand: EncodedOperand,
  change: (byte: number) => number,
): EncodedOperand {
  const { shape, data } = valuesOf(right, operand.tensors.scales!);
  const bytes = Uint8Array.from(data, (byte) => Math.min(255, Math.max(0, change(byte))));
  return { ...operand, tensors: { ...operand.tensors, scales: right.fromData(bytes, shape, 'u8') } };
}

/** A product with the scales of its first operand changed, and each result after it. */
function changed(
  byte: (byte: number) => number,
  result: (value: number) => number = (value) => value,
): Fault['breakIt'] {
  return (right) =>
    withKernel(right, {
      blockMatmul(a, b) {
        const moved = withScales(right, a, byte);
        const product = right.fused.blockMatmul!(moved, b);
        const { data, ...rest } = valuesOf(right, product);
        for (const x of [moved.tensors.scales!, product]) right.dispose(x);
        return tensorOf(right, { ...rest, data: data.map(result) });
      },
    });
}

const far = 64;
const largest = 3.4028234663852886e38;
const shifted = (by: number) => (byte: number) => (byte === 255 ? 255 : byte + by);

export const blockProductFaults: readonly Fault[] = [
  {
    name: 'blockMatmul rounds once at the end',
    breakIt: (right) =>
      withKernel(right, {
        blockMatmul(a, b) {
          const [x, y] = [a, b].map((operand) => {
            const values = right.fused.decodeOperand!(operand);
            const matrices = right.reshape(values, [sizeOf(values.shape.slice(0, -2)), ...values.shape.slice(-2)]);
            right.dispose(values);
            return matrices;
          }) as [FloatTensor, FloatTensor];
          const last = ({ axis, shape }: EncodedOperand) => axis === shape.length - 1;
          const product = right.matmul(x, y, !last(a), last(b));
          right.dispose(x);
          right.dispose(y);
          return product;
        },
      }),
    caughtBy: exactFormats.map(({ name }) => `block products > ${name} · ${name} to the bit`),
    mayAlsoFail: /^block products > /,
  },
  {
    name: 'blockMatmul keeps subnormal numbers',
    breakIt: changed(shifted(far), (value) => value * 2 ** -far),
    caughtBy: named('counts what is below the normal numbers as zero, in terms and in sums'),
    mayAlsoFail: /^block products > .* (reaches|overflows|takes)/,
  },
  {
    name: 'blockMatmul saturates',
    breakIt: changed(shifted(-far), (value) => Math.max(-largest, Math.min(largest, value * 2 ** far))),
    caughtBy: named('overflows to an infinity, and from two of them to NaN'),
    mayAlsoFail: /^block products > .* (reaches|counts|takes)/,
  },
  {
    name: 'blockMatmul takes a block of NaN for one of zeros',
    breakIt: changed((byte) => (byte === 255 ? 0 : byte)),
    caughtBy: named('gives NaN in the rows and columns of a block of NaN, and in no others'),
  },
];
