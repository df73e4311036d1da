#!/usr/bin/env node
import { mnistNormalization } from '@lmd/data/images';
import { mnistPictures, runExample } from '@lmd/example-shared';
import { lineChart, tableOf } from '@lmd/report';
import { methods, type OneShotResult, oneShot, oneShotOptionTable } from './experiment/one-shot.js';

const percent = (fraction: number) => `${(100 * fraction).toFixed(2)} %`;

process.exitCode = await runExample({
  name: 'one-shot',
  table: oneShotOptionTable,
  async run(options, context) {
    const data = await mnistPictures(60_000, mnistNormalization.mnist.mean);
    const measured = await oneShot(context.ops, data, options, context);
    const { before, results, parameters, trainingImages, addedBytes } = measured;
    const row = (one: OneShotResult) => [
      one.method,
      String(one.pictures),
      `${percent(one.newAccuracy)} ± ${(100 * one.newDeviation).toFixed(2)}`,
      percent(one.oldAccuracy),
      one.oldLoss.toFixed(4),
    ];
    return {
      table: tableOf(
        ['method', 'K', 'accuracy, new class', 'accuracy, old classes', 'loss, old classes'],
        [['before', '', '', percent(before.oldAccuracy), before.oldLoss.toFixed(4)], ...results.map(row)],
      ),
      facts: [
        `A Vision Transformer of ${parameters.toLocaleString('en')} parameters, trained with LMD for ${options.steps} ` +
          `steps of 64 on ${trainingImages.toLocaleString('en')} MNIST images without the digit ${options.class}; ` +
          `seed ${options.seed}.`,
        `Each row of a method is the mean over ${options.draws} random choices of K training pictures, with the ` +
          'standard deviation over the choices, on the test images.',
        '`imprinting` gives the new row length 1, `imprinting, scaled` the mean length of the other rows.',
        `The class adds ${addedBytes} bytes to the model.`,
      ],
      results: measured,
      chart: lineChart({
        label: 'Accuracy on the new class by number of pictures',
        x: { title: 'pictures of the new class, K', ticksAtPoints: true },
        y: { title: 'accuracy', format: (value) => `${Math.round(100 * value)} %` },
        series: Object.keys(methods).flatMap((method, color) => {
          const of = results.filter((one) => one.method === method);
          return [
            {
              ...{ name: `${method}, new class`, color, markers: true },
              points: of.map((one) => ({ x: one.pictures, y: one.newAccuracy, halfWidth: one.newDeviation })),
            },
            {
              ...{ name: `${method}, old classes`, color, style: 'dashed' as const },
              points: of.map((one) => ({ x: one.pictures, y: one.oldAccuracy })),
            },
          ];
        }),
      }),
    };
  },
});
