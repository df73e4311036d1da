import { type CodeLaw, codeBlockSize, type FusedKernels, sizeOf } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';
import { keyWords } from './random.js';
import { noiseBlock, type scaledElements } from './wasm/numbers.js';
import { setEntry } from './wasm/table-entries.js';
import { DecodeEntry, EncodeEntry } from './wasm/tables.js';

/** Does not compile where the kernels have another size. */
const blockSize: typeof scaledElements = codeBlockSize;

const noKey = { seed: 0, stream: 0, step: 0, sample: 0 };

export function cpuBlockCodes(host: MemoryHost): Pick<FusedKernels, 'encodeBlocks' | 'decodeBlocks'> {
  const { run, address, store } = host;

  return {
    encodeBlocks(vectors, laws, keys) {
      const { shape } = vectors[0]!;
      const size = sizeOf(shape);
      const blocks = Math.ceil(size / blockSize);
      const words = host.allocate(shape, 'f32');
      const scales = vectors.map(() => host.allocate(blocks === 1 ? [] : [blocks], 'f32'));
      const table = host.allocate([vectors.length, EncodeEntry.words], 'i32');
      const entries = host.integers(table);
      for (const [index, law] of laws.entries()) {
        setEntry(entries, EncodeEntry, index * EncodeEntry.words, {
          vector: address(vectors[index]!),
          scales: address(scales[index]!),
          ...lawWords(law),
          ...keyWords(keys?.[index] ?? noKey),
        });
      }
      const cost = vectors.length * (keys === undefined ? 1 : 2.3);
      const split = { total: size, unit: noiseBlock, cost };
      run('encodeBlocks', split, {
        table: address(table),
        vectors: vectors.length,
        words: address(words),
        stochastic: keys !== undefined,
      });
      store.free(table);
      return { words, scales };
    },

    decodeBlocks({ words, scales }, laws, wanted) {
      const out = wanted.map(() => host.allocate(words.shape, 'f32'));
      const table = host.allocate([wanted.length, DecodeEntry.words], 'i32');
      const entries = host.integers(table);
      for (const [place, index] of wanted.entries()) {
        const after = laws.slice(index + 1).reduce((sum, { bits }) => sum + bits, 0);
        setEntry(entries, DecodeEntry, place * DecodeEntry.words, {
          out: address(out[place]!),
          scales: address(scales[index]!),
          ...lawWords(laws[index]!),
          after,
        });
      }
      const split = { total: sizeOf(words.shape), unit: blockSize, cost: 0.5 * wanted.length };
      run('decodeBlocks', split, { table: address(table), vectors: wanted.length, words: address(words) });
      store.free(table);
      return out;
    },
  };
}

/** Code law as two words of a table. */
function lawWords({ law, bits }: CodeLaw): { square: number; bits: number } {
  return { square: Number(law === 'square'), bits };
}
