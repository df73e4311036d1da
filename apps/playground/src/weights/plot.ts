import type { LogNormality } from '@lmd/training';

/** A histogram of magnitudes and its fitted log-normal, on an axis of log₁₀. */
export interface PlottedMagnitudes {
  readonly bars: readonly { readonly from: number; readonly to: number; readonly density: number }[];
  /** Points of the fitted density. */
  readonly law: readonly { readonly x: number; readonly density: number }[];
  /** exp(μ), and exp(σ): the factor of one standard deviation. */
  readonly median: number;
  readonly spread: number;
}

const lawPoints = 80;

/** From a summary of natural logarithms to densities per decade. */
export function plotted({ count, mean, standardDeviation: sigma, histogram }: LogNormality): PlottedMagnitudes {
  const { minimum, width, counts } = histogram;
  const decade = Math.LN10;
  const bars = counts.map((number, bin) => ({
    from: (minimum + bin * width) / decade,
    to: (minimum + (bin + 1) * width) / decade,
    density: (number / count / width) * decade,
  }));
  const law =
    sigma > 0
      ? Array.from({ length: lawPoints + 1 }, (_, i) => {
          const z = 4 * ((2 * i) / lawPoints - 1);
          const density = (Math.exp(-0.5 * z * z) / (sigma * Math.sqrt(2 * Math.PI))) * decade;
          return { x: (mean + z * sigma) / decade, density };
        })
      : [];
  return { bars, law, median: Math.exp(mean), spread: Math.exp(sigma) };
}

/** Whole decades that hold the bars of all plots, leaving out tails with next to nothing in them. */
export function axisOf(plots: readonly PlottedMagnitudes[]): readonly [number, number] {
  const shown = plots.flatMap(({ bars }) => {
    const top = Math.max(...bars.map(({ density }) => density));
    return bars.filter(({ density }) => density > top / 500).flatMap(({ from, to }) => [from, to]);
  });
  if (shown.length === 0) return [-4, 0];
  const low = Math.floor(Math.min(...shown));
  // Adding 0 turns −0 into 0.
  return [low, Math.max(Math.ceil(Math.max(...shown)), low + 1) + 0];
}
