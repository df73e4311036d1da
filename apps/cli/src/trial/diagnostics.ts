import type { Gpt2, Vit } from '@lmd/models';
import { formats } from '@lmd/mx-formats';
import { diagnostics, flipRate, gradientSignal, type Plugin, priorBound, weightGrowth } from '@lmd/training';
import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import { quantizationNoise } from './quantization-noise.js';

/** The plugins that measure what a configuration asks for, where the rule and the format have it. */
export function diagnosticPlugins(
  configuration: Configuration,
  optimizer: OptimizerConfiguration,
  model: Gpt2 | Vit,
): Plugin[] {
  const asked = configuration.diagnostics;
  const { every } = asked;
  const lmd = optimizer.rule === 'lmd' ? optimizer : undefined;
  const split = lmd === undefined ? {} : { initialization: lmd.initialization };
  const isBounded = lmd !== undefined && lmd.regularizer === 'logNormalPrior' && lmd.regularization > 0;
  // By the names of the presets, a format's own among them.
  const precision = precisionOf(configuration, optimizer);
  const format = Object.entries(formats).find(([name]) => name === precision)?.[1];
  return [
    ...(asked.weightGrowth ? [weightGrowth({ every })] : []),
    ...(asked.priorBound && isBounded ? [priorBound({ every, regularization: lmd.regularization, ...split })] : []),
    ...(asked.flipRate && format !== undefined ? [flipRate({ every, format })] : []),
    ...(asked.quantizationNoise && model.architecture === 'vit'
      ? [quantizationNoise({ every, model, formats: [precision, ...configuration.evaluation.formats] })]
      : []),
    ...(asked.gradientSignal ? [gradientSignal({ every })] : []),
    ...(asked.logNormality ? [diagnostics(split)] : []),
  ];
}
