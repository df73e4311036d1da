import { type CodeLaw, codeBlockSize, type FusedKernels, sizeOf } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';
import { seedWords } from './random.js';

/** Elements for which random words are drawn at once; see `assembly/workspace.ts`. */
const block = 1024;

/** Words of a vector's entry in the tables of `assembly/block-codes.ts`. */
const encodeEntry = 9;
const decodeEntry = 5;

const noKey = { seed: 0, stream: 0, step: 0, sample: 0 };

export function cpuBlockCodes(host: MemoryHost): Pick<FusedKernels, 'encodeBlocks' | 'decodeBlocks'> {
  const { run, address, store } = host;

  return {
    encodeBlocks(vectors, laws, keys) {
      const { shape } = vectors[0]!;
      const size = sizeOf(shape);
      const blocks = Math.ceil(size / codeBlockSize);
      const words = host.allocate(shape, 'f32');
      const scales = vectors.map(() => host.allocate(blocks === 1 ? [] : [blocks], 'f32'));
      const table = host.allocate([vectors.length, encodeEntry], 'i32');
      const entries = host.integers(table);
      for (const [index, law] of laws.entries()) {
        const key = keys?.[index] ?? noKey;
        const addresses = [address(vectors[index]!), address(scales[index]!)];
        const noise = [key.stream, key.step, key.sample, ...seedWords(key)];
        entries.set([...addresses, ...lawWords(law), ...noise], index * encodeEntry);
      }
      const cost = vectors.length * (keys === undefined ? 1 : 2.3);
      const split = { total: size, unit: block, cost };
      run('encodeBlocks', split, address(table), vectors.length, address(words), keys !== undefined);
      store.free(table);
      return { words, scales };
    },

    decodeBlocks({ words, scales }, laws, wanted) {
      const out = wanted.map(() => host.allocate(words.shape, 'f32'));
      const table = host.allocate([wanted.length, decodeEntry], 'i32');
      const entries = host.integers(table);
      for (const [place, index] of wanted.entries()) {
        const after = laws.slice(index + 1).reduce((sum, { bits }) => sum + bits, 0);
        const addresses = [address(out[place]!), address(scales[index]!)];
        entries.set([...addresses, ...lawWords(laws[index]!), after], place * decodeEntry);
      }
      const split = { total: sizeOf(words.shape), unit: codeBlockSize, cost: 0.5 * wanted.length };
      run('decodeBlocks', split, address(table), wanted.length, address(words));
      store.free(table);
      return out;
    },
  };
}

/** A law as two words of a table. */
function lawWords({ law, bits }: CodeLaw): [number, number] {
  return [law === 'square' ? 1 : 0, bits];
}
