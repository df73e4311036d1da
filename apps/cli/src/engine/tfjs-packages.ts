import { LmdError } from '@lmd/core';
import type * as Tfjs from '@tensorflow/tfjs-core';

/** The engines of TensorFlow.js that the command runs in Node without native code. */
export type TfjsEngine = 'wasm' | 'cpu';

/** The packages, which the user installs: with 60 MB they would be half of the command's installation. */
interface Packages {
  readonly core: () => Promise<typeof Tfjs>;
  readonly wasm: () => Promise<unknown>;
  readonly cpu: () => Promise<unknown>;
}

const installed: Packages = {
  core: () => import('@tensorflow/tfjs-core'),
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

/** Loads TensorFlow.js without the notice that it prints under Node. */
export async function loadTfjs({ core }: Pick<Packages, 'core'> = installed): Promise<typeof Tfjs> {
  const tf = await core();
  tf.env().set('PROD', true);
  return tf;
}

/**
 * TensorFlow.js with an engine registered, not active.
 *
 * @param packages how they are imported; for tests.
 * @throws LmdError `ENGINE_MISSING` where a package is not installed.
 */
export async function openTfjsEngine(engine: TfjsEngine, packages: Packages = installed): Promise<typeof Tfjs> {
  try {
    const tf = await loadTfjs(packages);
    await packages[engine]();
    return tf;
  } catch (cause) {
    const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: unknown };
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    const name = isMissing ? /'(@tensorflow\/[\w-]+)'/.exec(String(message))?.[1] : undefined;
    if (name === undefined) throw cause;
    throw new LmdError('ENGINE_MISSING', `The backend tfjs-${engine} needs ${name}, which is not installed.`, {
      subject: `tfjs-${engine}`,
      value: name,
      remedy:
        `Install it where lmd is installed: npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-${engine} ` +
        '(with --global if lmd is global). Or use another backend, such as cpu.',
      cause,
    });
  }
}
