import { LmdError } from '@lmd/core';
import { firstLine } from '../../optional-package.js';
import { builtIn } from '../threads/platform.js';

/** A tensor as the native code of onnxruntime-node reads one. */
export interface NativeTensor {
  readonly type: 'float32';
  readonly location: 'cpu';
  readonly dims: number[];
  readonly data: Float32Array;
}

/** A session of the native code: what `InferenceSession` of onnxruntime-node wraps. */
export interface Session {
  loadModel(buffer: ArrayBuffer, byteOffset: number, byteLength: number, options: object): void;
  run(
    feeds: Readonly<Record<string, NativeTensor>>,
    fetches: Readonly<Record<string, NativeTensor | null>>,
    options: object,
  ): unknown;
  dispose?(): void;
}

/** `dist/binding.js` of onnxruntime-node, which is no public interface: what is used of it is tested when it is loaded. */
export interface OnnxruntimeBinding {
  readonly InferenceSession: new () => Session;
}

interface BindingModule {
  readonly binding?: Partial<OnnxruntimeBinding>;
  readonly initOrt?: () => void;
}

interface ModuleTools {
  createRequire(from: string): ((name: string) => unknown) & { resolve(name: string): string };
}

const installation =
  'Install it: npm install --ignore-scripts onnxruntime-node (288 MB; its install script would download more, for GPUs). ' +
  "Or use products: 'wasm'.";

/**
 * Loads the native code of onnxruntime-node.
 *
 * @param specifier a folder with the package, if it is not to be found by its name
 * @throws LmdError `ENGINE_MISSING` where it is not installed or does not load, with what to do
 */
export function loadBinding(specifier = 'onnxruntime-node'): {
  readonly binding: OnnxruntimeBinding;
  readonly version: string;
  /** What to throw where it loads and does not work. */
  fail(cause: unknown): LmdError;
} {
  const tools = builtIn<ModuleTools>('node:module');
  if (tools === undefined) {
    throw new LmdError('ENGINE_MISSING', 'onnxruntime-node needs Node 20.16 or later.', {
      subject: 'products',
      remedy: "Use products: 'wasm'.",
    });
  }
  const byPath = /^(?:[./\\]|[a-zA-Z]:)/.test(specifier);
  // A bundle of CommonJS has no `import.meta.url`.
  const own: string | undefined = import.meta.url;
  const require = tools.createRequire(byPath || own === undefined ? `${workingFolder()}/` : own);
  let version: string;
  try {
    version = (require(`${specifier}/package.json`) as { readonly version: string }).version;
  } catch (cause) {
    const message = byPath ? `There is no onnxruntime-node in ${specifier}.` : 'onnxruntime-node is not installed.';
    throw new LmdError('ENGINE_MISSING', message, { subject: specifier, cause, remedy: installation });
  }
  const fail = (cause: unknown) =>
    new LmdError('ENGINE_MISSING', `onnxruntime-node ${version} does not work here: ${firstLine(cause)}.`, {
      subject: specifier,
      value: version,
      cause,
      remedy:
        "Install a version that was tested, onnxruntime-node@1.30, for this platform (npm install --ignore-scripts); or use products: 'wasm'.",
    });
  try {
    const { binding, initOrt } = require(`${specifier}/dist/binding.js`) as BindingModule;
    if (typeof binding?.InferenceSession !== 'function' || typeof initOrt !== 'function') {
      throw new Error('its native code has another interface');
    }
    initOrt();
    return { binding: binding as OnnxruntimeBinding, version, fail };
  } catch (cause) {
    throw fail(cause);
  }
}

function workingFolder(): string {
  return (globalThis as { process?: { cwd(): string } }).process?.cwd() ?? '';
}
