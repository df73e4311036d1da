import { expect, it } from 'vitest';
import { Turns } from './turns.js';

/** Two runs of `steps` steps each, which write what they do. */
function start(turns: Turns, steps: readonly number[], log: string[]) {
  return Promise.all(
    steps.map(async (count, run) => {
      await turns.take(run);
      for (let step = 1; step <= count; step++) {
        log.push(`${'AB'[run]}${step}`);
        await turns.pass(run);
      }
      turns.leave(run);
    }),
  );
}

it('lets runs step in turn, and the longer one go on alone', async () => {
  const log: string[] = [];
  await start(new Turns(2), [2, 4], log);
  expect(log).toEqual(['A1', 'B1', 'A2', 'B2', 'B3', 'B4']);
});

it('runs jobs between two steps, also while paused', async () => {
  const log: string[] = [];
  const turns = new Turns(2);
  turns.pause();
  const done = start(turns, [2, 2], log);
  expect(await turns.between(async () => log.push('job'))).toBe(1);
  await expect(turns.between(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  turns.resume();
  await done;
  expect(log).toEqual(['job', 'A1', 'B1', 'A2', 'B2']);
});

it('ends while paused, and refuses jobs from then on', async () => {
  const turns = new Turns(2);
  turns.pause();
  // No run takes its turn, so this one waits until the end.
  const waiting = turns.between(async () => 1);
  turns.end();
  await expect(waiting).rejects.toThrow('have ended');
  await expect(turns.between(async () => 1)).rejects.toThrow('have ended');
  await turns.take(1);
});
