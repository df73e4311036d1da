import { cellsOf } from '../bench/lib/report.mjs';

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const sections = {
  conformance: ({ passed, failures, seed, milliseconds }) =>
    [
      `${passed} tests passed, ${failures.length} failed, in ${(milliseconds / 1000).toFixed(0)} s, with seed ${seed}.`,
      ...failures.map(({ name, error }) => `- ${name}: ${error.split('\n')[0]}`),
    ].join('\n'),
  logits: ({ same, hash, expected, cpu }) =>
    `The logits of 200 steps have the SHA-256 \`${hash}\` here and \`${cpu}\` on the processor; expected is \`${expected}\`: ` +
    `${same ? 'the same bits.' : 'DIFFERENT bits.'}`,
  benchmark: ({ rows }) =>
    table(
      ['what', 'figure', 'compared'],
      rows.map((row) => cellsOf(row).slice(0, 3)),
    ),
  training: ({ runs }) =>
    table(
      ['optimizer', 'precision', 'steps × batch', 'first loss', 'last loss', 'test accuracy', 'ms a step'],
      runs.map((run) => [
        run.optimizer,
        run.precision,
        `${run.steps} × ${run.batch}`,
        run.firstLoss.toFixed(3),
        run.lastLoss.toFixed(3),
        `${(100 * run.accuracy).toFixed(1)} %`,
        run.millisecondsPerStep.toFixed(1),
      ]),
    ),
};

/** results.md from what results.json holds. */
export function renderPage({ date, node, quick, driver, stages }) {
  const found = Object.values(stages);
  const device = found.map((stage) => stage.device).find(Boolean) ?? 'no device';
  const notes = [
    ...(found.some(({ software }) => software)
      ? ['This is software rendering: times are those of that driver and say nothing about a GPU.']
      : []),
    ...(quick ? ['A quick run: its times mean nothing.'] : []),
  ];
  const parts = Object.entries(stages).map(
    ([name, stage]) =>
      `## ${name}\n\n${stage.error === undefined ? sections[name](stage) : `Failed: ${stage.error}`}\n`,
  );
  return `# @lmd on a GPU

${device}. Node ${node}, ${date}. Vulkan driver: ${driver}.
${notes.map((note) => `\n${note}\n`).join('')}
${parts.join('\n')}`;
}
