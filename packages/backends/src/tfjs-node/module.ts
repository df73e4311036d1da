import { LmdError } from '@lmd/core';
import { firstLine, isMissing } from '../optional-package.js';
import type { Binding } from './native.js';

/** The part of `@tensorflow/tfjs-node` (or `-gpu`) that is used here; pass the whole module. */
export interface TfjsNodeModule {
  readonly version_core: string;
  /** Absent from `@tensorflow/tfjs-core`, whose current backend may be tfjs-node's too. */
  readonly version?: object;
  findBackend(name: string): object | null;
  engine(): object;
}

/** `NodeJSKernelBackend`, as far as it is used here. */
export interface NodeEngine {
  readonly binding: Binding;
  readonly isGPUPackage: boolean;
  getInputTensorIds(tensors: readonly object[]): number[];
  createOutputTensor(value: { readonly id: number; readonly shape: readonly number[]; readonly dtype: number }): object;
}

export type TfjsNodeName = 'tfjs-node' | 'tfjs-node-gpu';

const building =
  'Where its download server cannot be reached, build it from the npm registry and PyPI with ' +
  'dev/engines/libtensorflow of the @lmd repository, ' +
  'and give the path that it prints.';
const installation = (name: TfjsNodeName) => `Install it: npm install @tensorflow/${name}. ${building}`;

/**
 * Imports `@tensorflow/tfjs-node`, or what else is named, and repairs what it needs of Node 23 and later: the functions
 * `isNullOrUndefined` and `isArray` of `util`, which those versions removed and it calls. Loading makes its backend
 * `tensorflow` the current one of TensorFlow.js.
 *
 * @param specifier `tfjs-node` (default), `tfjs-node-gpu`, or the path (or file URL) of a folder with a built engine
 * @throws LmdError `ENGINE_MISSING` where it is not installed or does not load, with what to do
 */
export async function loadTfjsNode(specifier: string = 'tfjs-node'): Promise<TfjsNodeModule> {
  repairUtil();
  const known = specifier === 'tfjs-node' || specifier === 'tfjs-node-gpu';
  const name = known ? specifier : /tfjs-node-gpu/.test(specifier) ? 'tfjs-node-gpu' : 'tfjs-node';
  const target = known ? `@tensorflow/${specifier}` : entryOf(specifier);
  try {
    const loaded: { readonly default?: TfjsNodeModule } & TfjsNodeModule = await import(
      /* @vite-ignore */ /* webpackIgnore: true */ target
    );
    return typeof loaded.findBackend === 'function' ? loaded : (loaded.default as TfjsNodeModule);
  } catch (cause) {
    const missing = known && isMissing(target, cause);
    const message = missing
      ? `The package ${target} is not installed.`
      : `${target} could not be loaded: ${firstLine(cause)}.`;
    throw new LmdError('ENGINE_MISSING', message, {
      subject: target,
      cause,
      remedy:
        known && !missing
          ? `It is installed, and its TensorFlow library may be missing: run npm rebuild ${target}. ${building}`
          : installation(name),
    });
  }
}

/** A folder is imported by its main file: ESM imports no folders. */
function entryOf(path: string): string {
  const { process } = globalThis as { process?: { cwd(): string } };
  const absolute = /^(?:\/|[a-zA-Z]:|\\\\)/.test(path) ? path : `${process?.cwd()}/${path}`;
  const slashed = absolute.replaceAll('\\', '/').replace(/^(?=[a-zA-Z]:)/, '/');
  const url = /^file:/.test(path) ? path : `file://${encodeURI(slashed).replaceAll('#', '%23').replaceAll('?', '%3F')}`;
  return /\.[cm]?js$/.test(url) ? url : `${url.replace(/\/$/, '')}/dist/index.js`;
}

interface LegacyUtil {
  isNullOrUndefined?: (value: unknown) => boolean;
  isArray?: (value: unknown) => boolean;
}

/** tfjs-node 4.22 and earlier call what Node 23 removed. */
function repairUtil(): void {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => LegacyUtil | undefined } };
  // Versions of Node without this function still have the others.
  const util = process?.getBuiltinModule?.('node:util');
  if (util === undefined) return;
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

/**
 * The backend `tensorflow` of the module.
 *
 * @throws LmdError `ENGINE_MISSING` where it has none, or not that of tfjs-node 4
 */
export function nodeEngineOf(tf: TfjsNodeModule): NodeEngine {
  const missing = (message: string, value: unknown) =>
    new LmdError('ENGINE_MISSING', message, {
      subject: 'tf',
      value,
      remedy: `Pass \`tf\` of \`const tf = await loadTfjsNode()\`, or of \`import tf from '@tensorflow/tfjs-node'\`. ${installation('tfjs-node')}`,
    });
  if (typeof tf?.findBackend !== 'function') {
    throw missing('The first argument is not the module @tensorflow/tfjs-node.', typeof tf);
  }
  repairUtil();
  const engine = tf.findBackend('tensorflow') as Partial<NodeEngine> | null;
  if (engine === null) throw missing('This TensorFlow.js has no backend named tensorflow.', null);
  if (typeof engine.binding?.executeOp !== 'function' || typeof engine.getInputTensorIds !== 'function') {
    throw missing(
      `The backend tensorflow of TensorFlow.js ${tf.version_core} is not that of tfjs-node 4.`,
      tf.version_core,
    );
  }
  return engine as NodeEngine;
}

/** Whether the current backend of a TensorFlow.js module is tfjs-node's. */
export function isTfjsNode<Module extends { getBackend(): string }>(tf: Module): tf is Module & TfjsNodeModule {
  const found = tf as Partial<Pick<TfjsNodeModule, 'findBackend'>> & Module;
  if (typeof found?.getBackend !== 'function' || found.getBackend() !== 'tensorflow') return false;
  return (found.findBackend?.('tensorflow') as Partial<NodeEngine> | null)?.binding !== undefined;
}

/** What `lmd doctor` shows of an engine. */
export interface TfjsNodeProbe {
  readonly name: TfjsNodeName;
  /** Whether it loads. */
  readonly loads: boolean;
  /** Versions of the package and of the TensorFlow library under it, where it loads. */
  readonly version?: string;
  readonly tensorflow?: string;
  /** Whether it computes on a GPU. */
  readonly gpu?: boolean;
  /** Why it does not load, with what to do. */
  readonly reason?: string;
}

/**
 * Loads an engine and says what it is; never throws. Loading makes it TensorFlow.js's current backend, so a program
 * that trains on another one probes in a process of its own.
 *
 * @param specifier as for `loadTfjsNode`
 */
export async function probeTfjsNode(specifier: string = 'tfjs-node'): Promise<TfjsNodeProbe> {
  const name = /tfjs-node-gpu/.test(specifier) ? 'tfjs-node-gpu' : 'tfjs-node';
  try {
    const tf = await loadTfjsNode(specifier);
    const { binding } = nodeEngineOf(tf);
    return {
      name,
      loads: true,
      version: packageVersion(tf),
      tensorflow: binding.TF_Version,
      gpu: binding.isUsingGpuDevice(),
    };
  } catch (error) {
    return { name, loads: false, reason: (error as Error).message };
  }
}

export function packageVersion(tf: TfjsNodeModule): string {
  return (tf.version as { readonly 'tfjs-node'?: string } | undefined)?.['tfjs-node'] ?? tf.version_core;
}
