import { Check } from './check.js';
import type { Bounds } from './kernels.js';
import { settingPlaces, sizes } from './sizes.js';

const { SETTING_WORDS: settingWords, STOCHASTIC: stochastic } = sizes;
const { rounding, block_size: blockSize, e4m3_scales: floatScales } = settingPlaces;

/** The settings of a format, once they are known to lie within the memory. */
function settingsAt(memory: Uint8Array, check: Check, settings: number) {
  check.operand('settings', settings, settingWords, 4);
  const words = new Int32Array(memory.buffer, memory.byteOffset + settings, settingWords);
  check.sizes({ 'elements that share a scale': words[blockSize]! }, 1);
  check.choice('rounding', words[rounding]!, sizes.ROUNDING_COUNT);
  return {
    size: words[blockSize]!,
    floatScales: words[floatScales] !== 0,
    isStochastic: words[rounding] === stochastic,
  };
}

/** Kernels of block formats. */
export const blockBounds: Bounds<
  'encodeIntegersInMemory' | 'encodeIntegersOfColumns' | 'decodeOperand' | 'roundRowsInMemory' | 'roundSlabsInMemory'
> = {
  encodeIntegersInMemory(memory, from, to, settings, source, codes, scales, words, length, blocks, wide) {
    const check = new Check('encodeIntegersInMemory', memory.length);
    check.sizes({ from, to }, 0);
    check.sizes({ length, blocks }, 1);
    const { size, floatScales, isStochastic } = settingsAt(memory, check, settings);
    check.equal('blocks', blocks, Math.ceil(length / size));
    check.operand('source', source, to * length, 4);
    check.operand('codes', codes, to * Math.ceil(length / 16) * 16, wide ? 2 : 1);
    check.operand('scales', scales, to * blocks, floatScales ? 4 : 1);
    if (isStochastic) check.operand('words', words, to * length, 4);
  },

  encodeIntegersOfColumns(memory, from, to, settings, source, codes, scales, words, length, blocks, wide, columns) {
    const check = new Check('encodeIntegersOfColumns', memory.length);
    check.sizes({ from, to }, 0);
    check.sizes({ length, blocks, columns }, 1);
    const { size, floatScales, isStochastic } = settingsAt(memory, check, settings);
    check.equal('blocks', blocks, Math.ceil(length / size));
    check.equal('elements that share a scale, modulo 16,', size % 16, 0);
    const lines = Math.ceil(to / blocks / Math.ceil(columns / sizes.STRIP_COLUMNS)) * columns;
    check.operand('source', source, lines * length, 4);
    check.operand('codes', codes, lines * Math.ceil(length / 16) * 16, wide ? 2 : 1);
    check.operand('scales', scales, lines * blocks, floatScales ? 4 : 1);
    if (isStochastic) check.operand('words', words, lines * length, 4);
  },

  decodeOperand({ length }, from, to, codes, scales, out, terms, size, wide, floatScales) {
    const check = new Check('decodeOperand', length);
    check.sizes({ from, to }, 0);
    check.sizes({ terms, blockSize: size }, 1);
    check.operand('codes', codes, to * Math.ceil(terms / 16) * 16, wide ? 2 : 1);
    check.operand('scales', scales, to * Math.ceil(terms / size), floatScales ? 4 : 1);
    check.operand('out', out, to * terms, 4);
  },

  roundRowsInMemory(memory, from, to, settings, source, target, words, length) {
    const check = new Check('roundRowsInMemory', memory.length);
    check.sizes({ from, to }, 0);
    check.sizes({ length }, 1);
    const { isStochastic } = settingsAt(memory, check, settings);
    check.floats(isStochastic ? { source, target, words } : { source, target }, to * length);
  },

  roundSlabsInMemory(memory, from, to, settings, source, target, words, length, blocks, inner) {
    const check = new Check('roundSlabsInMemory', memory.length);
    check.sizes({ from, to }, 0);
    check.sizes({ length, blocks, inner }, 1);
    const { size, isStochastic } = settingsAt(memory, check, settings);
    check.equal('blocks', blocks, Math.ceil(length / size));
    const elements = Math.ceil(to / blocks) * length * inner;
    check.floats(isStochastic ? { source, target, words } : { source, target }, elements);
  },
};
