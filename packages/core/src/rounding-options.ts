import { choice } from './options/declare.js';
import type { OptionTable } from './options/option.js';
import { defaultsOf } from './options/resolve.js';

/** How values are rounded to a block format, declared once. */
export const roundingOptionTable = {
  /**
   * How an element that falls between two codes is rounded. `stochastic` needs a random key where no step gives one.
   * `nearestEven`, `nearestAway`, `towardZero` or `stochastic`; default `nearestEven`.
   */
  rounding: choice(['nearestEven', 'nearestAway', 'towardZero', 'stochastic'], {
    default: 'nearestEven',
    describe:
      'How an element that falls between two codes is rounded. `stochastic` needs a random key where no step gives one.',
  }),
  /**
   * How a block's power-of-two scale follows from its largest magnitude; the default is that of OCP MX v1.0. `floor`,
   * `ceil`, `rceil` or `even`; default `floor`.
   */
  scaleMode: choice(['floor', 'ceil', 'rceil', 'even'], {
    default: 'floor',
    describe:
      "How a block's power-of-two scale follows from its largest magnitude; the default is that of OCP MX v1.0.",
  }),
} as const satisfies OptionTable;

export const roundingDefaults = defaultsOf(roundingOptionTable);
