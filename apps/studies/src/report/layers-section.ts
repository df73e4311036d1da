import { type Block, heading, plot, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select } from './evidence.js';
import { decimal, formatTitle } from './format.js';
import { type Measured, mean, meanSignal, productsIn } from './product-measures.js';

/** Signal-to-noise ratio, clipped maxima and outliers of the quantized products during training. */
export function layersSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const seed = study.final.seeds[0]!;
  const formats = study.formats.slice(1);
  const of = (optimizer: string, format: string) =>
    select(evidence, 'final', { optimizer, format, seed })[0]?.result.measures ?? [];
  if (study.optimizers.every(({ name }) => formats.every((format) => of(name, format).length === 0))) return [];
  const rows = formats.flatMap((format) =>
    study.optimizers.flatMap(({ name }) => {
      const measures = of(name, format);
      if (measures.length === 0) return [];
      const last = productsIn(measures.at(-1), format, false);
      return [
        [
          formatTitle(format),
          optimizerTitle(study, name),
          decimal(meanSignal(measures[0], format), 1),
          decimal(meanSignal(measures.at(-1), format), 1),
          decimal(meanSignal(measures.at(-1), format, true), 1),
          decimal(100 * (mean(last.map(({ formats: found }) => found[format]!.clippedSecond)) ?? Number.NaN), 1),
          decimal(100 * (mean(last.map(({ formats: found }) => found[format]!.clippedFirst)) ?? Number.NaN), 1),
          decimal(mean(last.map(({ kurtosisSecond }) => kurtosisSecond)), 1),
          decimal(Math.max(...last.map(({ kurtosisSecond }) => kurtosisSecond)), 1),
          decimal(mean(last.map(({ kurtosisFirst }) => kurtosisFirst)), 1),
          decimal(Math.max(...last.map(({ kurtosisFirst }) => kurtosisFirst)), 1),
        ],
      ];
    }),
  );
  const steps = study.final.measures;
  const harshest = formats.at(-1)!;
  const byProduct = (show: (measures: Measured['products'][number]) => string): string[][] => {
    const lasts = study.optimizers.map(({ name }) => of(name, harshest).at(-1)?.products ?? []);
    const names = (lasts.find((some) => some.length > 0) ?? []).map(({ product }) => product);
    return names.map((name) => [
      name,
      ...lasts.map((some) => {
        const found = some.find(({ product }) => product === name);
        return found === undefined ? '–' : show(found);
      }),
    ]);
  };
  const optimizerTitles = study.optimizers.map(({ name }) => optimizerTitle(study, name));
  return [
    heading('Quantization error of the layers'),
    text(
      `Seed ${seed}, on 64 validation images, ${steps} times during the run; means over the products of ` +
        'activations and weights, and for “attention” over those inside attention. Signal-to-noise ratio (SNR): ' +
        '10·log10(Σy² / Σ(y − ŷ)²) with the product y of unquantized operands and ŷ of quantized ones, in dB. ' +
        'Clipped: fraction of blocks whose largest value exceeds the range of the block. Kurtosis: 3 for a ' +
        'normal distribution; larger values mean heavier tails. The ledger has the values by layer and step.',
    ),
    table(
      [
        'format',
        'optimizer',
        'dB, first',
        'dB, last',
        'dB, attention',
        'clipped weights %',
        'clipped activations %',
        'kurtosis of weights',
        'highest',
        'kurtosis of activations',
        'highest',
      ],
      rows,
      2,
    ),
    plot(`Signal-to-noise ratio of the quantized products during training, ${formatTitle(harshest)}`, {
      x: { title: 'optimizer step' },
      y: { title: 'SNR (dB)' },
      series: study.optimizers.map(({ name }) => ({
        name: optimizerTitle(study, name),
        markers: true,
        points: of(name, harshest).flatMap((measured) => {
          const y = meanSignal(measured, harshest);
          return y === undefined ? [] : [{ x: measured.step, y }];
        }),
      })),
    }),
    ...(study.optimizers.every(({ name }) => of(name, harshest).length === 0)
      ? []
      : [
          text(`Signal-to-noise ratio of each product at the end, ${formatTitle(harshest)}, in dB:`),
          table(
            ['product', ...optimizerTitles],
            byProduct(({ formats: found }) => decimal(found[harshest]!.signalToNoise, 1)),
          ),
          text('Kurtosis of the input activations of each product, at the end in the same format:'),
          table(
            ['product', ...optimizerTitles],
            byProduct(({ kurtosisFirst }) => decimal(kurtosisFirst, 1)),
          ),
        ]),
  ];
}
