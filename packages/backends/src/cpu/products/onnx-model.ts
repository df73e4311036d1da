/** The little of protocol buffers that a model of one operation takes (onnx.proto of github.com/onnx/onnx). */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

type Bytes = readonly number[];

const integer = (field: number, value: number): Bytes => [...varint(field * 8), ...varint(value)];
const message = (field: number, ...parts: readonly Bytes[]): Bytes => {
  const contents = parts.flat();
  return [...varint(field * 8 + 2), ...varint(contents.length), ...contents];
};
const text = (field: number, value: string): Bytes => message(field, [...new TextEncoder().encode(value)]);

// Numbers of fields, and of values of enumerations.
const model = { irVersion: 1, graph: 7, operatorSets: 8 };
const operatorSet = { domain: 1, version: 2 };
const graph = { nodes: 1, name: 2, initializers: 5, inputs: 11, outputs: 12 };
const node = { inputs: 1, outputs: 2, operation: 4, attributes: 5, domain: 7 };
const attribute = { name: 1, integer: 3, type: 20, typeInteger: 2 };
const tensor = { dimensions: 1, type: 2, name: 8, raw: 9 };
const value = { name: 1, type: 2 };
const float32 = 1;
const bfloat16 = 16;
const contributed = 'com.microsoft';

/** A value of three axes with a symbol for each extent, so that one session serves all shapes. */
function matrices(name: string): Bytes {
  const extents = [0, 1, 2].map((axis) => message(1, text(2, `${name}${axis}`)));
  return [...text(value.name, name), ...message(value.type, message(1, integer(1, float32), message(2, ...extents)))];
}

/** What a model's values are called. */
export const names = { a: 'a', b: 'b', product: 'c', stopper: 'stopper' } as const;

/**
 * A model of one operation: c = a · b, batches of matrices, each operand turned or not.
 *
 * The output before it, `stopper`, is one bfloat16 number. See `onnxruntime.ts` for what it is good for.
 */
export function productModel(transposeA: boolean, transposeB: boolean): Uint8Array {
  const flag = (name: string, on: boolean) =>
    message(
      node.attributes,
      text(attribute.name, name),
      integer(attribute.integer, Number(on)),
      integer(attribute.type, attribute.typeInteger),
    );
  const multiply = message(
    graph.nodes,
    text(node.inputs, names.a),
    text(node.inputs, names.b),
    text(node.outputs, names.product),
    text(node.operation, 'FusedMatMul'),
    text(node.domain, contributed),
    flag('transA', transposeA),
    flag('transB', transposeB),
  );
  const stopper = message(
    graph.initializers,
    integer(tensor.dimensions, 1),
    integer(tensor.type, bfloat16),
    text(tensor.name, names.stopper),
    message(tensor.raw, [0, 0]),
  );
  const stopperType = message(value.type, message(1, integer(1, bfloat16), message(2, message(1, integer(1, 1)))));
  return Uint8Array.from([
    ...integer(model.irVersion, 8),
    ...message(
      model.graph,
      multiply,
      text(graph.name, 'product'),
      stopper,
      message(graph.inputs, matrices(names.a)),
      message(graph.inputs, matrices(names.b)),
      message(graph.outputs, text(value.name, names.stopper), stopperType),
      message(graph.outputs, matrices(names.product)),
    ),
    ...message(model.operatorSets, integer(operatorSet.version, 17)),
    ...message(model.operatorSets, text(operatorSet.domain, contributed), integer(operatorSet.version, 1)),
  ]);
}
