import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from './schema/onnx.generated.js';

/** A file in pieces, so that at most one weight is in memory at a time. */
export interface OnnxFile {
  readonly name: string;
  readonly byteLength: number;
  chunks(): AsyncIterable<Uint8Array>;
}

/** A weight that is read from the backend when its bytes are written. */
export interface ReadableWeight {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

/** A weight in a file of its own data, as ONNX's `external_data`. */
interface Located {
  readonly weight: ReadableWeight;
  readonly file: string;
  readonly offset: number;
}

/** Protobuf messages hold less than 2 GiB. */
export const mostBytes = 2 ** 31 - 1;

// Field numbers of onnx.proto.
const graphOfModel = 7;
const initializerOfGraph = 5;
const rawDataOfTensor = 9;

/** Opset 17 is the first with LayerNormalization; ONNX 1.12 has IR version 8. */
const versions = { irVersion: 8n, opsetImport: [{ domain: '', version: 17n }] };

/**
 * A model as one ONNX file, or, if that would be larger than `maxFileBytes`, without the weights, which are then in
 * files named `<name>_data`, `<name>_data_1`, …, each of at most that size (a larger weight has its own).
 */
export function onnxFiles(
  graph: GraphProto,
  weights: readonly ReadableWeight[],
  { name, maxFileBytes }: { readonly name: string; readonly maxFileBytes: number },
): readonly OnnxFile[] {
  const limit = Math.min(maxFileBytes, mostBytes);
  if (weights.reduce((sum, weight) => sum + byteLengthOf(weight), 0) < limit) {
    const embedded = modelFile(name, graph, weights, []);
    if (embedded.byteLength <= limit) return [embedded];
  }
  const located: Located[] = [];
  let [files, used] = [0, 0];
  for (const weight of weights) {
    const size = byteLengthOf(weight);
    if (files === 0 || used + size > limit) [files, used] = [files + 1, 0];
    located.push({ weight, file: `${name}_data${files === 1 ? '' : `_${files - 1}`}`, offset: used });
    used += size;
  }
  const dataFiles = [...new Set(located.map(({ file }) => file))].map((file): OnnxFile => {
    const own = located.filter((entry) => entry.file === file).map(({ weight }) => weight);
    return {
      name: file,
      byteLength: own.reduce((sum, weight) => sum + byteLengthOf(weight), 0),
      async *chunks() {
        for (const weight of own) yield littleEndian(await weight.read());
      },
    };
  });
  return [modelFile(name, graph, [], located), ...dataFiles];
}

const byteLengthOf = ({ shape }: ReadableWeight) => 4 * shape.reduce((size, extent) => size * extent, 1);

/**
 * The fields before the weights are encoded as messages. The weights follow as further entries of the graph's
 * initializers, whose lengths are known before their values are read.
 */
function modelFile(
  name: string,
  graph: GraphProto,
  weights: readonly ReadableWeight[],
  located: readonly Located[],
): OnnxFile {
  const external = located.map(({ weight, file, offset }) => {
    const location = Object.entries({ location: file, offset, length: byteLengthOf(weight) });
    return create(TensorProtoSchema, {
      ...tensorOf(weight),
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: location.map(([key, value]) => ({ key, value: `${value}` })),
    });
  });
  const whole = create(GraphProtoSchema, { ...graph, initializer: [...graph.initializer, ...external] });
  const rest = toBinary(GraphProtoSchema, whole);
  const entries = weights.map((weight) => {
    const header = toBinary(TensorProtoSchema, create(TensorProtoSchema, tensorOf(weight)));
    const prefix = joined([header, lengthPrefix(rawDataOfTensor, byteLengthOf(weight))]);
    return { weight, head: joined([lengthPrefix(initializerOfGraph, prefix.length + byteLengthOf(weight)), prefix]) };
  });
  const inGraph = entries.reduce((sum, { weight, head }) => sum + head.length + byteLengthOf(weight), rest.length);
  const model = toBinary(ModelProtoSchema, create(ModelProtoSchema, { ...versions, producerName: '@lmd/onnx' }));
  const start = joined([model, lengthPrefix(graphOfModel, inGraph), rest]);
  return {
    name,
    byteLength: start.length + inGraph - rest.length,
    async *chunks() {
      yield start;
      for (const { weight, head } of entries) {
        yield head;
        yield littleEndian(await weight.read());
      }
    },
  };
}

const tensorOf = ({ name, shape }: ReadableWeight) => ({
  name,
  dims: shape.map(BigInt),
  dataType: TensorProto_DataType.FLOAT,
});

const lengthPrefix = (field: number, length: number): Uint8Array =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function littleEndian(values: Float32Array): Uint8Array {
  if (isLittleEndian) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const view = new DataView(new ArrayBuffer(values.byteLength));
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}
