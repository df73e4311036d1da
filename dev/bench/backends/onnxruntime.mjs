// onnxruntime on its own, if it is installed. It is optional. LMD_ONNXRUNTIME may be the folder of the package
// onnxruntime-node.
import { createRequire } from 'node:module';

export function loadOnnxruntime() {
  try {
    return createRequire(import.meta.url)(process.env.LMD_ONNXRUNTIME ?? 'onnxruntime-node');
  } catch {
    return undefined;
  }
}

// The subset of protocol buffers that a model with one node needs (github.com/onnx/onnx, onnx.proto).
function varint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}
const number = (field, value) => [...varint(field * 8), ...varint(value)];
const bytes = (field, contents) => {
  const data = typeof contents === 'string' ? [...Buffer.from(contents)] : contents;
  return [...varint(field * 8 + 2), ...varint(data.length), ...data];
};

/** A float32 value with a symbolic dimension for each axis. */
function valueInfo(name, rank) {
  const dimensions = Array.from({ length: rank }, (_, axis) => bytes(1, bytes(2, `${name}${axis}`))).flat();
  return [...bytes(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, dimensions)]))];
}

const flag = (name, value) => [...bytes(1, name), ...number(3, value), ...number(20, 2)];
const opset = (domain, version) => bytes(8, [...bytes(1, domain), ...number(2, version)]);

/**
 * c = a · b for batches of matrices, each transposed if asked: onnxruntime's own operator for products whose operands
 * lie transposed, as those of gradients do.
 */
function matmulModel({ rank, transposeA, transposeB }) {
  const node = [
    ...bytes(1, 'a'),
    ...bytes(1, 'b'),
    ...bytes(2, 'c'),
    ...bytes(4, 'FusedMatMul'),
    ...bytes(5, flag('transA', Number(transposeA))),
    ...bytes(5, flag('transB', Number(transposeB))),
    ...bytes(7, 'com.microsoft'),
  ];
  const graph = [
    ...bytes(1, node),
    ...bytes(2, 'product'),
    ...bytes(11, valueInfo('a', rank)),
    ...bytes(11, valueInfo('b', rank)),
    ...bytes(12, valueInfo('c', rank)),
  ];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...opset('', 17), ...opset('com.microsoft', 1)]);
}

/**
 * A function that multiplies [batch, m, k] and [batch, k, n], or transposed ones, into a preallocated result.
 *
 * @param {{ shapeA: number[], shapeB: number[], transposeA: boolean, transposeB: boolean }} product
 */
export async function onnxProduct(ort, threads, product, a, b) {
  const { shapeA, shapeB, transposeA, transposeB } = product;
  const model = matmulModel({ rank: shapeA.length, transposeA, transposeB });
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: threads, logSeverityLevel: 3 });
  const tensor = (values, dims) => new ort.Tensor('float32', values, dims);
  const feeds = { a: tensor(a, shapeA), b: tensor(b, shapeB) };
  const [batch, m, n] = [shapeA[0], shapeA[transposeA ? 2 : 1], shapeB[transposeB ? 1 : 2]];
  const out = new Float32Array(batch * m * n);
  const fetches = { c: tensor(out, [batch, m, n]) };
  return { run: () => session.run(feeds, fetches), out, release: () => session.release() };
}
