import type { ElementFormat } from '../formats.js';

/** FP4 E2M1, for tests of core, which knows no format by itself. */
export const e2m1: ElementFormat = {
  name: 'e2m1',
  kind: 'float',
  bits: 4,
  exponentBits: 2,
  mantissaBits: 1,
  bias: 1,
  emax: 2,
  emin: 0,
  largest: 6,
  hasInfinity: false,
  hasNaN: false,
};
