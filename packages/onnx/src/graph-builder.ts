import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  type AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './schema/onnx.generated.js';

/** An attribute of a node: an integer, a list of integers, or a real number. */
export type Attribute = number | readonly number[] | { readonly float: number };

export type DataType = 'f32' | 'i64';

/** A size, or the name of one that is known at run time. */
export type Dimension = number | string;

/**
 * Builds a graph node by node. A value is a string, its name in the graph; each node is named after the scope in which
 * it is made.
 */
export interface GraphBuilder {
  input(name: string, dataType: DataType, shape: readonly Dimension[]): string;
  /** Makes an output of the value of that name. */
  output(name: string, shape: readonly Dimension[]): void;
  /** A weight of the model, which the caller writes under this name. */
  weight(name: string): string;
  /** A vector of i64, or a scalar. */
  integers(values: readonly number[] | number): string;
  /** A scalar of f32. */
  real(value: number): string;
  /** A node with one output. */
  node(operator: string, inputs: readonly string[], attributes?: Attributes, output?: string): string;
  /** A node with several outputs. */
  nodes(operator: string, inputs: readonly string[], attributes: Attributes, outputs: number): string[];
  /** Nodes that `make` adds have names that begin with `scope`. */
  within<T>(scope: string, make: () => T): T;
  finish(name: string): GraphProto;
}

export interface Attributes {
  readonly [name: string]: Attribute;
}

const elementTypes = { f32: TensorProto_DataType.FLOAT, i64: TensorProto_DataType.INT64 } as const;

export function graphBuilder(): GraphBuilder {
  const nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  const constants = new Map<string, MessageInitShape<typeof TensorProtoSchema>>();
  const inputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  const outputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  const counts = new Map<string, number>();
  let scope = '';

  function nameOf(operator: string): string {
    const stem = `${scope}/${operator}`;
    const count = counts.get(stem) ?? 0;
    counts.set(stem, count + 1);
    return count === 0 ? stem : `${stem}_${count}`;
  }

  function constant(name: string, tensor: Omit<MessageInitShape<typeof TensorProtoSchema>, '$typeName'>): string {
    constants.set(name, { ...tensor, name });
    return name;
  }

  function add(operator: string, given: readonly string[], attributes: Attributes, made: (name: string) => string[]) {
    const name = nameOf(operator);
    const output = made(name);
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    nodes.push({ name, opType: operator, input: [...given], output, attribute });
    return output;
  }

  return {
    input(name, dataType, shape) {
      inputs.push(valueInfo(name, dataType, shape));
      return name;
    },
    output: (name, shape) => void outputs.push(valueInfo(name, 'f32', shape)),
    weight: (name) => name,
    integers(values) {
      const list = typeof values === 'number' ? [values] : values;
      const dims = typeof values === 'number' ? [] : [BigInt(list.length)];
      const name = `integers/${typeof values === 'number' ? values : `[${list.join()}]`}`;
      return constant(name, { dataType: elementTypes.i64, dims, int64Data: list.map(BigInt) });
    },
    real: (value) => constant(`real/${value}`, { dataType: elementTypes.f32, dims: [], floatData: [value] }),
    node: (operator, given, attributes = {}, output) =>
      add(operator, given, attributes, (name) => [output ?? `${name}_output`])[0]!,
    nodes: (operator, given, attributes, count) =>
      add(operator, given, attributes, (name) => Array.from({ length: count }, (_, i) => `${name}_output_${i}`)),
    within(inner, make) {
      const outer = scope;
      scope = inner;
      try {
        return make();
      } finally {
        scope = outer;
      }
    },
    finish: (name) =>
      create(GraphProtoSchema, {
        name,
        node: nodes,
        input: inputs,
        output: outputs,
        initializer: [...constants.values()],
      }),
  };
}

function attributeOf(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) };
  if ('float' in value) return { name, type: AttributeProto_AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) };
}

function valueInfo(
  name: string,
  dataType: DataType,
  shape: readonly Dimension[],
): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((size) =>
    typeof size === 'string'
      ? { value: { case: 'dimParam' as const, value: size } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } },
  );
  const tensorType = { elemType: elementTypes[dataType], shape: { dim } };
  return { name, type: { value: { case: 'tensorType', value: tensorType } } };
}
