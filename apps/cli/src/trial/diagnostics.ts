import { formats } from '@lmd/mx-formats';
import {
  diagnostics,
  flipRate,
  gradientSignal,
  type LoadedCheckpoint,
  oscillationRate,
  type Plugin,
  priorBound,
  weightGrowth,
} from '@lmd/training';
import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import type { Network } from './build-model.js';
import { quantizationNoise } from './quantization-noise.js';

/** The plugins of the configured diagnostics that apply to the optimizer and the format. */
export function diagnosticPlugins(
  configuration: Configuration,
  optimizer: OptimizerConfiguration,
  model: Network,
): Plugin[] {
  const asked = configuration.diagnostics;
  const { every } = asked;
  const lmd = optimizer.rule === 'lmd' ? optimizer : undefined;
  const split = lmd === undefined ? {} : { initialization: lmd.initialization };
  // The bound 1/λ is that of a constant λ, and of R without noise.
  const isBounded =
    lmd !== undefined &&
    lmd.regularizer === 'logNormalPrior' &&
    lmd.regularizerAt === 'median' &&
    lmd.regularization > 0 &&
    lmd.regularizationSchedule === 'constant';
  // Precision presets include one for each format, with its name.
  const precision = precisionOf(configuration, optimizer);
  const format = Object.entries(formats).find(([name]) => name === precision)?.[1];
  return [
    ...(asked.weightGrowth ? [begunLater(weightGrowth({ every }))] : []),
    ...(asked.priorBound && isBounded ? [priorBound({ every, regularization: lmd.regularization, ...split })] : []),
    ...(asked.flipRate && format !== undefined ? [begunLater(flipRate({ every, format }))] : []),
    ...(asked.oscillationRate && format !== undefined ? [begunLater(oscillationRate({ every, format }))] : []),
    ...(asked.quantizationNoise && model.architecture === 'vit'
      ? [quantizationNoise({ every, model, formats: [precision, ...configuration.evaluation.formats] })]
      : []),
    ...(asked.gradientSignal ? [begunLater(gradientSignal({ every }))] : []),
    ...(asked.logNormality ? [diagnostics(split)] : []),
  ];
}

/** Diagnostics with state, by the names of their plugins. */
const remembering = ['weightGrowth', 'flipRate', 'oscillationRate', 'gradientSignal'];

/** Placeholder state in a checkpoint for a plugin that was not enabled when the checkpoint was written. */
const nothing = 'not measured before';

/** The same plugin, which may also start in the middle of a run. */
function begunLater(plugin: Plugin): Plugin {
  return {
    ...plugin,
    restore: (state, run) => (state.data === nothing ? undefined : plugin.restore!(state, run)),
  };
}

/**
 * Adapts a checkpoint to these diagnostics. They may be switched on and off when a run is resumed, since they do not
 * affect the training.
 */
export function withDiagnosticsOf(
  loaded: LoadedCheckpoint | undefined,
  plugins: readonly Plugin[],
): LoadedCheckpoint | undefined {
  if (loaded === undefined) return undefined;
  const present = plugins.map(({ name }) => name);
  const saved = Object.entries(loaded.checkpoint.plugins);
  const kept = saved.filter(([name]) => !remembering.includes(name) || present.includes(name));
  const fresh = remembering.filter((name) => present.includes(name)).map((name) => [name, { data: nothing }] as const);
  const states = { ...Object.fromEntries(fresh), ...Object.fromEntries(kept) };
  return { ...loaded, checkpoint: { ...loaded.checkpoint, plugins: states } };
}
