import { choice } from './options/declare.js';
import type { OptionTable } from './options/option.js';
import { defaultsOf } from './options/resolve.js';

/** How values are rounded to a block format, declared once. */
export const roundingOptionTable = {
  /**
   * Rounding of an element between two representable values. `stochastic` requires a random key where no training step
   * provides one. `nearestEven`, `nearestAway`, `towardZero` or `stochastic`; default `nearestEven`.
   */
  rounding: choice(['nearestEven', 'nearestAway', 'towardZero', 'stochastic'], {
    default: 'nearestEven',
    describe:
      'Rounding of an element between two representable values. `stochastic` requires a random key where no ' +
      'training step provides one.',
  }),
  /**
   * How the power-of-two scale of a block is computed from its largest magnitude; the default follows OCP MX v1.0.
   * `floor`, `ceil`, `rceil` or `even`; default `floor`.
   */
  scaleMode: choice(['floor', 'ceil', 'rceil', 'even'], {
    default: 'floor',
    describe:
      'How the power-of-two scale of a block is computed from its largest magnitude; the default follows OCP MX v1.0.',
  }),
} as const satisfies OptionTable;

export const roundingDefaults = defaultsOf(roundingOptionTable);
