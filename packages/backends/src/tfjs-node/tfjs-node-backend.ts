import {
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type Primitives,
  resolveOptions,
  sizeOf,
  type Tensor,
  type TensorData,
} from '@lmd/core';
import type { CpuBackend } from '../cpu/cpu-backend.js';
import { backendMarker } from '../made-by.js';
import type { TfjsTensorLike } from '../tfjs/engine.js';
import { checkAlive, type TfjsBackend } from '../tfjs/exchange.js';
import { type Context, createContext, ofDType } from './context.js';
import { cpuKernels } from './cpu-kernels.js';
import { nodeElementwise } from './elementwise.js';
import { nodeFused } from './fused.js';
import { nodeIndexing } from './indexing.js';
import { type NodeEngine, nodeEngineOf, packageVersion, type TfjsNodeModule } from './module.js';
import { Native, nativeType, typeAttribute, types } from './native.js';
import { NodeStore } from './node-store.js';
import { deviceFakeQuantize, hostFakeQuantize } from './quantize.js';
import { deviceRandom, hostRandom } from './random.js';
import { nodeShape } from './shape.js';

/** The options of `createTfjsNodeBackend`, declared once. */
export const tfjsNodeBackendOptionTable = {
  /**
   * Generates random numbers and quantizes to MX formats in JavaScript on the calling thread instead of integer
   * operations of the engine. Default: true if the engine runs on the CPU, false on a GPU. The results are
   * bit-identical. True or false.
   */
  hostKernels: option.boolean({
    describe:
      'Generates random numbers and quantizes to MX formats in JavaScript on the calling thread instead of integer ' +
      'operations of the engine. Default: true if the engine runs on the CPU, false on a GPU. The results are ' +
      'bit-identical.',
  }),
  /**
   * A cpu backend, owned by the caller. Its kernels generate random numbers, quantize, and sample and update for LMD on
   * copies of the tensors, several times as fast as sequences of TensorFlow operations on a CPU. Cannot be combined
   * with `hostKernels: false`. The result of `await createCpuBackend()` of `@lmd/backends/cpu`.
   */
  cpu: option.value<CpuBackend>({
    describe:
      'A cpu backend, owned by the caller. Its kernels generate random numbers, quantize, and sample and update for ' +
      'LMD on copies of the tensors, several times as fast as sequences of TensorFlow operations on a CPU. Cannot be ' +
      'combined with `hostKernels: false`.',
    allowed: 'the result of `await createCpuBackend()` of `@lmd/backends/cpu`',
    check: (given) => typeof (given as Partial<CpuBackend> | null)?.readSync === 'function',
  }),
} as const satisfies OptionTable;

export interface TfjsNodeBackendOptions extends OptionsOf<typeof tfjsNodeBackendOptionTable> {}

/**
 * Adapter of `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu`, which calls TensorFlow's C library once per
 * operation. Its arithmetic flushes subnormals to zero; MX formats and random bits are exact nevertheless.
 *
 * @param tf the module, from `loadTfjsNode` or from an import
 * @throws LmdError `ENGINE_MISSING` if `tf` is another module; `UNKNOWN_OPTION`, `INVALID_ARGUMENT`
 */
export function createTfjsNodeBackend(tf: TfjsNodeModule, options: TfjsNodeBackendOptions = {}): TfjsBackend {
  const { cpu, ...given } = checkedOptions(options);
  const engine = nodeEngineOf(tf);
  const name = engine.isGPUPackage ? 'tfjs-node-gpu' : 'tfjs-node';
  const native = new Native(engine.binding, name);
  const { hostKernels = !native.onGpu } = given;
  const store = new NodeStore(native);
  const context = createContext(native, store);
  const byHost = hostFakeQuantize(context);
  const byCpu = cpu === undefined ? undefined : cpuKernels(context, cpu);

  const primitives: Primitives = {
    ...nodeElementwise(context),
    ...nodeShape(context),
    ...nodeIndexing(context),
    ...(hostKernels ? hostRandom(context) : deviceRandom(context)),
    ...byCpu?.random,
    ...creation(context),
  };

  return {
    ...backendMarker,
    name,
    device:
      `TensorFlow ${engine.binding.TF_Version} on the ${native.onGpu ? 'GPU' : 'CPU'}, through ${name} ${packageVersion(tf)}` +
      (cpu === undefined ? (hostKernels ? ' (host kernels)' : '') : ` (with ${cpu.device})`),
    supports: { maxElements: 2 ** 31 - 1, subnormals: false },
    ...primitives,
    fused: {
      ...nodeFused(context),
      fakeQuantize: hostKernels ? byHost : deviceFakeQuantize(context, byHost),
      ...byCpu?.fused,
    },
    memory: () => store.memory(),
    ...exchange(context, engine, tf),
  };
}

/** The largest tensor that is filled here and handed over, rather than filled by the engine. */
const smallFill = 1024;

function creation(context: Context): Pick<Primitives, 'fromData' | 'full' | 'read' | 'dispose'> {
  const { native, store, upload, compute } = context;
  return {
    fromData: (data, shape, dtype) => upload(arrayOf(dtype, data), shape, dtype),
    full(shape, value, dtype) {
      if (sizeOf(shape) <= smallFill) return upload(arrayOf(dtype, sizeOf(shape)).fill(value), shape, dtype);
      return compute(shape, dtype, (run, temporary) => {
        const scalar = temporary(native.create(arrayOf(dtype, 1).fill(value), [], nativeType[dtype]));
        const attributes = [...ofDType(dtype), typeAttribute('index_type', types.int32)];
        return run('Fill', attributes, [native.indices(shape), scalar]);
      });
    },
    read: async (x) => readNow(context, x),
    dispose: (x) => store.free(x),
  };
}

/** The binding reads no unsigned bytes. */
function readNow({ native, store }: Context, x: Tensor): TensorData {
  if (x.dtype !== 'u8') return native.read(store.value(x).id);
  const attributes = [typeAttribute('SrcT', types.uint8), typeAttribute('DstT', types.int32)];
  const integers = native.run('Cast', attributes, [store.value(x).id]);
  const values = native.read(integers.id);
  native.free(integers.id);
  return Uint8Array.from(values);
}

function arrayOf(dtype: Tensor['dtype'], from: number | ArrayLike<number>): TensorData {
  const kind = dtype === 'f32' ? Float32Array : dtype === 'i32' ? Int32Array : Uint8Array;
  return new kind(from as number);
}

/** Tensors of the TensorFlow.js program around the adapter, by reference. */
function exchange(
  context: Context,
  engine: NodeEngine,
  tf: TfjsNodeModule,
): Pick<TfjsBackend, 'fromTfjs' | 'toTfjs' | 'readSync'> {
  const { native, store } = context;
  return {
    fromTfjs(tensor) {
      checkAlive(tensor);
      const dtype = tensor.dtype === 'float32' ? 'f32' : tensor.dtype === 'int32' ? 'i32' : undefined;
      if (dtype === undefined) {
        throw new LmdError('DTYPE_MISMATCH', `A tf.Tensor of dtype ${tensor.dtype} is not supported.`, {
          subject: 'tensor',
          value: tensor.dtype,
          remedy: "Convert it first: tensor.toFloat() or tensor.cast('int32').",
        });
      }
      const [id] = engine.getInputTensorIds([tensor]) as [number];
      return store.own(store.reshaped(id, tensor.shape, nativeType[dtype]), tensor.shape, dtype);
    },
    toTfjs(x) {
      // What it gives counts bytes as the engine does: unsigned bytes are no dtype of TensorFlow.js.
      const dtype = x.dtype === 'f32' ? types.float32 : types.int32;
      const value =
        x.dtype === 'u8'
          ? native.run('Cast', [typeAttribute('SrcT', types.uint8), typeAttribute('DstT', dtype)], [store.at(x)])
          : store.reshaped(store.value(x).id, x.shape, dtype);
      const tensor = engine.createOutputTensor({ id: value.id, shape: [...x.shape], dtype }) as TfjsTensorLike;
      return (tf.engine() as { keep(tensor: TfjsTensorLike): TfjsTensorLike }).keep(tensor);
    },
    readSync: (x) => readNow(context, x),
  };
}

function checkedOptions(options: TfjsNodeBackendOptions) {
  const checked = resolveOptions('createTfjsNodeBackend', tfjsNodeBackendOptionTable, options);
  if (checked.cpu === undefined || checked.hostKernels !== false) return checked;
  throw new LmdError('INVALID_ARGUMENT', 'createTfjsNodeBackend: hostKernels is false, and cpu is given.', {
    subject: 'hostKernels',
    value: false,
    remedy: 'Leave one of the two out.',
  });
}
