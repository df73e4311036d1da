import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';
import type { ConfigurableRule } from '../configuration/optimizer-tables.js';
import { UsageError } from '../errors.js';
import type { Dimension } from '../experiment/dimension.js';

/** The ranges that are searched for one optimizer, by option. */
export type Space = { readonly [option: string]: Dimension };

/** The learning rate is searched between these multiples of the configured one. */
const rateFactors = [0.1, 10] as const;

const logarithmic = (minimum: number, maximum: number): Dimension => ({ minimum, maximum, scale: 'log' });

/**
 * The option of each optimizer that matters most beside its learning rate, with a range that includes its default and
 * the winners of the studies (docs/studies).
 */
const secondSettings: { readonly [Rule in ConfigurableRule]: Space } = {
  lmd: { regularization: logarithmic(0.05, 1.5), noise: logarithmic(0.005, 0.1) },
  adamw: { weightDecay: logarithmic(0.001, 0.3) },
  muon: { weightDecay: logarithmic(0.001, 0.3) },
  lion: { weightDecay: logarithmic(0.01, 1) },
  signum: { weightDecay: logarithmic(0.01, 1) },
  sgd: { momentum: { choices: [0, 0.8, 0.9, 0.95], scale: 'linear' } },
  madam: { weightBound: logarithmic(1.5, 6) },
  multiplicativeWeights: { cost: { choices: ['sign', 'gradient'], scale: 'linear' } },
  exponentiatedGradient: { floor: logarithmic(0.1, 1) },
  lieGroupAdditive: { noise: logarithmic(0.0001, 0.01) },
  lieGroupMultiplicative: { floor: logarithmic(0.005, 0.5) },
  lieGroupAffine: { initialScale: logarithmic(0.003, 0.1) },
  ivon: { weightDecay: logarithmic(0.00001, 0.001) },
};

/** A range that the user gave: `adamw.learningRate=0.001..0.01`. */
export interface GivenRange {
  readonly optimizer: string;
  readonly option: string;
  readonly dimension: Dimension;
}

/**
 * Parses `--range optimizer.option=low..high`; on a log scale if both ends are above 0, otherwise linear.
 *
 * @throws UsageError naming `--range`.
 */
export function parseRange(text: string): GivenRange {
  const match = /^([^=]+)\.([A-Za-z0-9]+)=(.+)\.\.(.+)$/.exec(text);
  const [minimum, maximum] = [Number(match?.[3]), Number(match?.[4])];
  if (match === null || !Number.isFinite(minimum) || !Number.isFinite(maximum) || minimum > maximum) {
    throw new UsageError('INVALID_ARGUMENT', `--range ${text} is not a range.`, {
      subject: '--range',
      value: text,
      remedy: 'Write optimizer.option=low..high, for example --range adamw.learningRate=0.001..0.01.',
    });
  }
  const scale = minimum > 0 ? 'log' : 'linear';
  return { optimizer: match[1]!, option: match[2]!, dimension: { minimum, maximum, scale } };
}

/**
 * What is searched for an optimizer: its learning rate around the configured one, its second setting, and the given
 * ranges, which replace them.
 *
 * @throws UsageError if the configured learning rate is 0 and no range is given.
 */
export function spaceOf(optimizer: OptimizerConfiguration, given: readonly GivenRange[]): Space {
  if (optimizer.rule === 'module') {
    throw new UsageError(
      'UNSUPPORTED',
      `optimizers.${optimizer.name} is a module, whose settings cannot be searched.`,
      {
        subject: `optimizers.${optimizer.name}.rule`,
        value: optimizer.module,
        remedy: 'Leave it out with --only, or compare its settings by entries of the configuration.',
      },
    );
  }
  const own = given.filter((range) => range.optimizer === optimizer.name);
  const ranges = Object.fromEntries(own.map(({ option, dimension }) => [option, dimension]));
  return { ...rateRange(optimizer, ranges), ...secondSettings[optimizer.rule], ...ranges };
}

function rateRange(
  { name, learningRate }: Exclude<OptimizerConfiguration, { readonly rule: 'module' }>,
  ranges: Space,
): Space {
  if (Object.hasOwn(ranges, 'learningRate')) return {};
  if (learningRate !== undefined && learningRate > 0) {
    const [low, high] = rateFactors.map((factor) => Number((factor * learningRate).toPrecision(6)));
    return { learningRate: logarithmic(low!, high!) };
  }
  throw new UsageError('INVALID_ARGUMENT', `optimizers.${name}.learningRate is ${learningRate}: there is no range.`, {
    subject: `optimizers.${name}.learningRate`,
    value: learningRate,
    remedy: `Give one: --range ${name}.learningRate=0.001..0.1.`,
  });
}

/** `learningRate 0.001 … 0.1`, `momentum 0, 0.9`. */
export function describeDimension(option: string, { minimum, maximum, choices }: Dimension): string {
  return choices === undefined ? `${option} ${minimum} … ${maximum}` : `${option} ${choices.join(', ')}`;
}
