import type { ConfigurationInput } from './schema.js';

/**
 * The configuration of a preset with fewer steps than the preset's warm-up. The warm-up, which nobody has chosen for so
 * few steps, is then the same part of the run as in the preset. All others stay as they are.
 */
export function withShortWarmup(raw: object, preset: ConfigurationInput): object {
  const { steps, optimizers } = raw as Partial<ConfigurationInput>;
  if (typeof steps !== 'number' || !Array.isArray(optimizers)) return raw;
  return {
    ...raw,
    optimizers: optimizers.map((optimizer) => {
      const warmup = optimizer?.schedule?.warmup;
      if (typeof warmup !== 'number' || warmup < steps) return optimizer;
      const given = preset.optimizers.find(({ name }) => name === optimizer.name)?.schedule;
      if (given?.warmup !== warmup) return optimizer;
      const shorter = Math.floor((warmup / preset.steps) * steps);
      return { ...optimizer, schedule: { ...optimizer.schedule, warmup: shorter } };
    }),
  };
}
