import { createReferenceBackend } from '@lmd/backends/reference';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, rejection } from '../test/small-run.js';
import { moons } from '../test/tiny-mlp.js';
import { type Plugin, train, weightAveraging } from './index.js';

describe('a failure', () => {
  it('in a hook names the plugin and the hook, keeps the cause, tells the others and frees everything', async () => {
    const cause = new RangeError('no such luck');
    for (const hook of ['start', 'step', 'evaluate', 'settle', 'end', 'close'] as const) {
      const backend = createReferenceBackend();
      const told: unknown[] = [];
      let closed = 0;
      const error = await rejection(
        train({
          ...base(),
          backend,
          data: { train: moons(40), validation: moons(8) },
          plugins: [
            weightAveraging(),
            {
              name: 'clumsy',
              [hook]: () => {
                throw cause;
              },
            },
            { name: 'witness', failure: (event) => void told.push(event.error), close: () => void closed++ },
          ],
        }),
      );
      expect(isLmdError(error, 'PLUGIN_FAILURE')).toBe(true);
      expect(String(error)).toContain(`Plugin "clumsy" failed in its hook "${hook}": no such luck`);
      expect((error as Error).cause).toBe(cause);
      expect(told).toEqual([error]);
      expect(closed).toBe(1);
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    }
  });

  it.each([
    [undefined, /it returned undefined\. Return \{ data \}/],
    [{ data: new Map() }, /data is \[object Map\], which JSON cannot represent/],
    [{ data: { best: Number.NaN } }, /data\.best is NaN/],
    [{ tensors: { average: 1 } }, /expected a tensor, got 1/],
  ])('of state() to return what a checkpoint can hold names its plugin: %o', async (state, message) => {
    const clumsy = { name: 'clumsy', state: () => state as never, restore: () => {} };
    const saving: Plugin = { name: 'saving', settle: async (_, run) => void (await run.snapshot()) };
    const error = await rejection(train({ ...base(), plugins: [saving, clumsy] }));
    expect(isLmdError(error, 'PLUGIN_FAILURE')).toBe(true);
    expect(String(error)).toMatch(/Plugin "clumsy" failed in its hook "state"/);
    expect(String(error)).toMatch(message);
  });

  it('in a hook that another plugin called is named once, by its own plugin', async () => {
    const report = { type: 'report', step: 0, plugin: 'caller', data: null } as const;
    const error = await rejection(
      train({
        ...base(),
        plugins: [
          { name: 'caller', start: (_, run) => run.announce(report) },
          {
            name: 'clumsy',
            report() {
              throw new Error('no such luck');
            },
          },
        ],
      }),
    );
    expect(String(error)).toBe('LmdError: Plugin "clumsy" failed in its hook "report": no such luck');
  });

  it('of the data set lets plugins save the state before it', async () => {
    const data = moons(40);
    const endings: unknown[] = [];
    let batches = 0;
    const error = await rejection(
      train({
        ...base(),
        data: {
          train: {
            ...data,
            batch: (indices) => {
              const batch = data.batch(indices);
              if (++batches === 3) (batch as { labels: { data: Int32Array } }).labels.data[0] = 2;
              return batch;
            },
          },
        },
        plugins: [{ name: 'save', settle: ({ step, ending }) => void endings.push([step, ending]) }],
      }),
    );
    expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
    expect(endings).toEqual([
      [1, undefined],
      [2, undefined],
      [2, 'failed'],
    ]);
  });
});
