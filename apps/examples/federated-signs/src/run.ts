#!/usr/bin/env node
import { mnistPictures, runExample } from '@lmd/example-shared';
import { lineChart, tableOf } from '@lmd/report';
import { federated, federatedOptionTable } from './experiment/federated.js';
import { meetingOptionTable, openTransport } from './experiment/open-transport.js';

const percent = (fraction: number) => `${(100 * fraction).toFixed(2)} %`;
const thousands = (value: number) => value.toLocaleString('en');

process.exitCode = await runExample({
  name: 'federated-signs',
  table: { ...federatedOptionTable, ...meetingOptionTable },
  async run(options, context) {
    const data = await mnistPictures(options.images);
    const { report, signal } = context;
    const opened = await openTransport(options);
    const measured = await federated(context.ops, data, options, { report, signal, ...opened }).finally(() =>
      opened?.transport.close(),
    );
    if (measured === undefined) return undefined;
    const { results, parameters, kept, clientSizes } = measured;
    const { width, clients, alpha, rounds, seed } = options;
    const shown = [...new Set([1, 5, 10, 20, rounds])].filter((round) => round <= rounds);
    return {
      table: tableOf(
        ['method', 'weights', ...shown.map((round) => `round ${round}`), 'bytes up, a round', 'bytes down, a round'],
        results.map(({ method, accuracies, upBytes, downBytes }) => [
          ...[method, method === 'signs' ? thousands(kept) : thousands(parameters)],
          ...shown.map((round) => percent(accuracies[round]!)),
          ...[thousands(upBytes), thousands(downBytes)],
        ]),
      ),
      facts: [
        `A network of ${data.train.pixels}, ${width}, ${width} and 10 units without biases and ` +
          `${thousands(parameters)} weights; ${clients} clients with ${thousands(Math.min(...clientSizes))} to ` +
          `${thousands(Math.max(...clientSizes))} of ${thousands(data.train.labels.length)} MNIST images, label shares by ` +
          `Dirichlet(${alpha}), ${rounds} rounds of one local epoch; one seed, ${seed}.`,
        `Accuracies are on ${thousands(data.test.labels.length)} test images. Bytes are those of the messages of all ` +
          'clients.',
        ...(opened === undefined ? [] : [`The server and the clients met over ${opened.transport.name}.`]),
      ],
      results: measured,
      chart: lineChart({
        label: 'Test accuracy by bytes sent and received',
        x: { title: 'MB of all messages so far', scale: 'log' },
        y: { title: 'test accuracy', format: (value) => `${Math.round(100 * value)} %` },
        series: results.map(({ method, accuracies, upBytes, downBytes }) => ({
          name: method,
          markers: true,
          points: accuracies.slice(1).map((y, i) => ({ x: ((i + 1) * (upBytes + downBytes)) / 1e6, y })),
        })),
      }),
    };
  },
});
