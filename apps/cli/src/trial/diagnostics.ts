import type { Gpt2, Vit } from '@lmd/models';
import { formats } from '@lmd/mx-formats';
import {
  diagnostics,
  flipRate,
  gradientSignal,
  type LoadedCheckpoint,
  type Plugin,
  priorBound,
  weightGrowth,
} from '@lmd/training';
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
    ...(asked.weightGrowth ? [begunLater(weightGrowth({ every }))] : []),
    ...(asked.priorBound && isBounded ? [priorBound({ every, regularization: lmd.regularization, ...split })] : []),
    ...(asked.flipRate && format !== undefined ? [begunLater(flipRate({ every, format }))] : []),
    ...(asked.quantizationNoise && model.architecture === 'vit'
      ? [quantizationNoise({ every, model, formats: [precision, ...configuration.evaluation.formats] })]
      : []),
    ...(asked.gradientSignal ? [begunLater(gradientSignal({ every }))] : []),
    ...(asked.logNormality ? [diagnostics(split)] : []),
  ];
}

/** Diagnostics with memory, by the names of their plugins. */
const remembering = ['weightGrowth', 'flipRate', 'gradientSignal'];

/** Stands in a checkpoint for the memory of a plugin that the run lacked when it was written. */
const nothing = 'not measured before';

/** The same plugin, which may also begin in the middle of a run. */
function begunLater(plugin: Plugin): Plugin {
  return {
    ...plugin,
    restore: (state, run) => (state.data === nothing ? undefined : plugin.restore!(state, run)),
  };
}

/**
 * The checkpoint as one of a run with these diagnostics: they may be switched on and off in a run that has begun, since
 * they change no bit of it.
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
