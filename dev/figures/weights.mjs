/**
 * node dev/figures/weights.mjs RUN: the figure of README.md on what LMD does to weights, from a run folder of
 * first-light. docs/weights.json keeps what it shows of the run. scripts/readme-results.mjs calls this. Build first.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lmdParameter } from '@lmd/models';
import { chartFile, densityChart } from '@lmd/report';
import { parseSafetensors, toFloat32Array } from '@lmd/safetensors';
import { tool } from '../../scripts/lib.mjs';
import { writeAtomically } from '../bench/lib/page.mjs';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
export const [figure, values] = [at('docs/weights.svg'), at('docs/weights.json')];

/** The axis of magnitudes: log₁₀ from −3.5 to 0.5. Others count in the total only. */
const axis = { from: -3.5, width: 0.1, bins: 40 };

/** How the magnitudes of the weights that LMD would train are distributed. */
function magnitudesOf(modelFile) {
  const counts = new Array(axis.bins).fill(0);
  let total = 0;
  for (const [name, tensor] of parseSafetensors(readFileSync(modelFile)).tensors) {
    if (!lmdParameter(name, tensor.shape)) continue;
    for (const weight of toFloat32Array(tensor)) {
      const bin = Math.floor((Math.log10(Math.abs(weight)) - axis.from) / axis.width);
      if (bin >= 0 && bin < axis.bins) counts[bin] += 1;
      total += 1;
    }
  }
  return { histogram: { from: axis.from, width: axis.width, counts }, total };
}

/** The medians m⁺ and m⁻ of LMD's posterior together, and the log-normal law fitted to them, in log₁₀. */
function mediansOf(posteriorFile) {
  const { plus, minus } = JSON.parse(readFileSync(posteriorFile, 'utf8'));
  const [mean, deviation] = [plus.mean + minus.mean, plus.standardDeviation + minus.standardDeviation].map(
    (sum) => sum / 2 / Math.LN10,
  );
  const { from, width, counts } = plus.histogram;
  return {
    histogram: {
      from: from / Math.LN10,
      width: width / Math.LN10,
      counts: counts.map((count, bin) => count + minus.histogram.counts[bin]),
    },
    total: plus.count + minus.count,
    mean,
    deviation,
  };
}

/** What the figure shows of a run of first-light. */
export function weightsOf(run) {
  return {
    adamw: magnitudesOf(join(run, 'adamw', 'model.safetensors')),
    lmd: mediansOf(join(run, 'lmd', 'posterior.json')),
  };
}

/** Both distributions after training, on one logarithmic axis. */
export function weightsFigure({ adamw, lmd }) {
  const normal = (x) =>
    Math.exp(-0.5 * ((x - lmd.mean) / lmd.deviation) ** 2) / (lmd.deviation * Math.sqrt(2 * Math.PI));
  return chartFile(
    densityChart({
      label:
        'Distributions of trained weights on a logarithmic axis: those of AdamW have a long tail towards zero, the ' +
        'medians of LMD follow a log-normal law',
      xTitle: 'log₁₀ of the magnitude',
      histograms: [
        { label: 'AdamW: magnitudes |w| of the trained weights', className: 'series-1', ...adamw },
        { label: 'LMD: medians m⁺ and m⁻ of the two halves of each weight', className: 'series-0', ...lmd },
      ],
      densities: [
        { label: 'the log-normal law fitted to LMD’s', className: 'series-0', style: 'dashed', density: normal },
      ],
    }),
  );
}

/** Writes the figure of a run, and what it shows. */
export async function writeWeightsFigure(run) {
  const weights = weightsOf(run);
  writeAtomically(values, JSON.stringify(weights));
  await tool('@biomejs/biome', join('bin', 'biome'), ['format', '--write', values]);
  writeAtomically(figure, weightsFigure(weights));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeWeightsFigure(process.argv[2]);
