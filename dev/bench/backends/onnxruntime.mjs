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

/** c = a · b, for matrices or batches of them. */
function matmulModel(rank) {
  const node = [...bytes(1, 'a'), ...bytes(1, 'b'), ...bytes(2, 'c'), ...bytes(4, 'MatMul')];
  const graph = [
    ...bytes(1, node),
    ...bytes(2, 'product'),
    ...bytes(11, valueInfo('a', rank)),
    ...bytes(11, valueInfo('b', rank)),
    ...bytes(12, valueInfo('c', rank)),
  ];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 17))]);
}

/** A function that multiplies [batch, m, k] and [batch, k, n] into a preallocated result. */
export async function onnxProduct(ort, threads, [batch, m, k, n], a, b) {
  const session = await ort.InferenceSession.create(matmulModel(3), {
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  });
  const tensor = (values, dims) => new ort.Tensor('float32', values, dims);
  const feeds = { a: tensor(a, [batch, m, k]), b: tensor(b, [batch, k, n]) };
  const out = new Float32Array(batch * m * n);
  const fetches = { c: tensor(out, [batch, m, n]) };
  return { run: () => session.run(feeds, fetches), out, release: () => session.release() };
}
