import { describe, expect, it } from 'vitest';
import { lmd, type Running, start, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const long = (out: string) => ['train', ...tiny, 'steps=100000', '--only', 'adamw', '--out', out, '--json'];

/** Trains, and watches from its 20th step. */
function watched(
  run: string,
  onWatched: (text: string, watching: Running, training: Running) => void,
  interval = '0.2',
) {
  let watching: Running | undefined;
  const training = start(long(run), folder, (event) => {
    if (event.type !== 'step' || event.step !== 20) return;
    watching = start(['watch', run, '--interval', interval], folder);
    let text = '';
    watching.child.stdout!.on('data', (part) => {
      text += String(part);
      onWatched(text, watching!, training);
    });
  });
  return { training, watching: () => watching! };
}

describe('lmd watch', () => {
  it('follows a run in plain lines until it ends, and says how to go on', async () => {
    const { training, watching } = watched('long', (text, _, { child }) => {
      if (text.includes('images/s')) child.kill('SIGINT');
    });
    expect((await training.done).code).toBe(130);
    const { code, stdout, stderr } = await watching().done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/adamw {2}step 8: validation accuracy/);
    expect(stdout).toMatch(/\d+\/100000 {2}loss \d+\.\d{4} {2}[\d,]+ images\/s/);
    expect(stdout).toContain('Resume it with: lmd train --resume long');
    expect(stdout).not.toContain('\u001b');
    const { stdout: json } = await lmd(['watch', 'long', '--json'], folder);
    expect(JSON.parse(json)).toMatchObject({ type: 'watch', status: 'stopped', optimizers: [{ isDone: false }] });
  });

  it('ends at Ctrl-C without ending the run', async () => {
    const { training, watching } = watched(
      'going',
      (text, { child, done }, other) => {
        if (!text.includes('images/s') || child.killed) return;
        child.kill('SIGINT');
        void done.then(() => other.child.kill('SIGINT'));
      },
      '60',
    );
    expect((await training.done).code).toBe(130);
    expect(await watching().done).toMatchObject({ code: 0, stdout: expect.stringContaining('The run continues.') });
  });

  it('shows the end of a finished run at once', async () => {
    await lmd(['train', ...tiny, '--only', 'adamw', '--out', 'finished', '--json'], folder);
    const { stdout } = await lmd(['watch', 'finished'], folder);
    expect(stdout).toMatch(/adamw {2}done {2}validation accuracy .*\nReport/);
  });

  it('names what is no run', async () => {
    const { code, stderr } = await lmd(['watch', 'nowhere'], folder);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('is not a run folder') });
  });
});
