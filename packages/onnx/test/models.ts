import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type EagerOperations, type NamedTensors } from '@lmd/core';
import { fullPrecision, gpt2, type PretrainedModel, vit } from '@lmd/models';

const sizes = { width: 8, depth: 2, heads: 2 };
const images = { imageSize: 8, channels: 3, patchSize: 4, classes: 3, ...sizes };
const text = { vocabularySize: 11, contextLength: 6, ...sizes };

/** The models of the golden files, by name. */
export const models = {
  'vit-class-token': { model: vit(images), cache: undefined },
  'vit-mean-tanh': { model: vit({ ...images, pooling: 'mean', gelu: 'tanh', channels: 1 }), cache: undefined },
  gpt2: { model: gpt2(text), cache: false },
  'gpt2-erf-cached': { model: gpt2({ ...text, gelu: 'none' }), cache: true },
} as const satisfies { [name: string]: { model: PretrainedModel; cache: boolean | undefined } };

export type ModelName = keyof typeof models;

export const createOps = (): EagerOperations => createOperations(createReferenceBackend({ storage: 'f32' }));

/** Numbers from −1/4 to 1/4 in f32 by integer arithmetic alone, the same in every engine. */
export const numbers = (count: number, stream: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (((i * 7919 + stream * 104729) % 2001) - 1000) / 4000);

const product = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1);

/** Weights far from zero and one. */
export function weightsOf(ops: EagerOperations, { parameters }: PretrainedModel): NamedTensors {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }], stream) => {
      const gain = name.endsWith('.gain') ? 1 : 0;
      return [
        name,
        ops.keep(
          ops.fromData(
            numbers(product(shape), stream + 1).map((value) => value + gain),
            shape,
          ),
        ),
      ];
    }),
  );
}

/** Images [2, channels, height, width] as ONNX takes them, or tokens [2, length]. */
export function inputsOf({ architecture, config }: PretrainedModel) {
  if (architecture === 'gpt2') return { shape: [2, 5], data: Int32Array.from([3, 1, 4, 1, 5, 9, 2, 6, 5, 3]) };
  const shape = [2, config.channels, config.imageSize, config.imageSize];
  return { shape, data: numbers(product(shape), 77).map((value) => 4 * value) };
}

export function logitsOf(ops: EagerOperations, model: PretrainedModel, weights: NamedTensors): Promise<Float32Array> {
  const { shape, data } = inputsOf(model);
  const given = ops.fromData(data, shape);
  const inputs = model.architecture === 'gpt2' ? given : ops.transpose(given, [0, 2, 3, 1]);
  const context = { training: false, precision: fullPrecision, key: { seed: 1, step: 0, sample: 0 } };
  return ops.read(model.forward(ops, weights, inputs, context)) as Promise<Float32Array>;
}

export async function bytesOf(file: { chunks(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.chunks()) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
