import { type Arithmetic, levels, loadNative, type Native } from '../src/index.js';

/** The native kernels of each level that this processor has, plain C last. */
export function nativeLevels(arithmetic: Arithmetic): readonly Native[] {
  return levels.flatMap((level) => loadNative({ level, arithmetic }).native ?? []);
}

/** Why there is nothing to test; undefined where there is. */
export const nothingToTest = loadNative().reason;
