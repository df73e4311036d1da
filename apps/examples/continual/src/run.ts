#!/usr/bin/env node
import { mnistPictures, runExample } from '@lmd/example-shared';
import { lineChart, tableOf } from '@lmd/report';
import { continual, continualOptionTable, optimizerNames } from './experiment/continual.js';

const percent = (fraction: number) => `${(100 * fraction).toFixed(2)} %`;

process.exitCode = await runExample({
  name: 'continual',
  table: continualOptionTable,
  async run(options, context) {
    const data = await mnistPictures(options.images);
    const results = await continual(context.ops, data, options, context);
    const rows = results.map(({ optimizer, projection, averageAccuracy, forgetting, accuracies, stateBytes }) => [
      ...[optimizer, projection, percent(averageAccuracy), percent(forgetting)],
      ...[percent(accuracies[0]![0]!), percent(accuracies.at(-1)![0]!), percent(accuracies.at(-1)!.at(-1)!)],
      `${(stateBytes / 2 ** 20).toFixed(1)} MiB`,
    ]);
    const titles = ['average accuracy', 'forgetting', 'task 1, first', 'task 1, last', 'last task', 'state'];
    const { width, tasks, steps, batch, hebbian, share, seed } = options;
    return {
      table: tableOf(['optimizer', 'projection of', ...titles], rows, 2),
      facts: [
        `A network of ${data.train.pixels}, ${width}, ${width} and 10 units without biases, trained on ${tasks} ` +
          `permutations of ${data.train.labels.length.toLocaleString('en')} MNIST images, one after another, ${steps} ` +
          `steps of ${batch} each, and tested on ${data.test.labels.length.toLocaleString('en')}; one seed, ${seed}.`,
        `All tasks but the last protect ${percent(share)} of the input directions of each layer together, learnt in ` +
          `${hebbian} Hebbian updates per task and layer.`,
      ],
      results,
      chart: lineChart({
        label: 'Accuracy on the first task after each task',
        x: { title: 'tasks trained', ticksAtPoints: true },
        y: { title: 'accuracy on the first task', format: (value) => `${Math.round(100 * value)} %` },
        series: results.map(({ optimizer, projection, accuracies }) => ({
          name: projection === 'none' ? `${optimizer}, no projection` : `${optimizer}, projection of ${projection}`,
          color: optimizerNames.indexOf(optimizer) + (projection === 'weights' ? optimizerNames.length : 0),
          style: projection === 'none' ? ('dashed' as const) : ('line' as const),
          markers: true,
          points: accuracies.map(([first], i) => ({ x: i + 1, y: first! })),
        })),
      }),
    };
  },
});
