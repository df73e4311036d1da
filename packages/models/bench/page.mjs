import { occasion, omitted, tableOfRows, writeDocument } from '../../../tools/bench/page.mjs';

/** Names without what the heading says. */
const under = (heading, rows) =>
  rows
    .filter(({ name }) => name.startsWith(`${heading}, `))
    .map((row) => ({ ...row, name: row.name.slice(heading.length + 2) }));

function table(title, rows, figures) {
  return rows.length === 0 ? '' : `\n## ${title}\n\n${tableOfRows(rows, figures)}\n`;
}

/** Writes docs/performance-models.md from the rows of each section. */
export function writePage({ training = [], generation = [] }) {
  const { date, machine, load } = occasion();
  const runtimes = [...training, ...generation].flatMap(({ runtime, peerRuntime }) => [runtime, peerRuntime]);
  const engines = [...new Set(runtimes.filter((runtime) => runtime !== undefined))].map((runtime) => `- ${runtime}`);
  writeDocument(
    'performance-models.md',
    `# Performance of the models at full size

Written by \`npm run bench -- models --write\` on ${date}: ${machine}; ${load}. ${omitted()}

Everything was measured in one run, with the same weights, data and number of threads on both sides, in turns, and a process for each side of a
training step; the first losses, or the tokens, must agree before times are compared. A figure is the least of few steps. A ratio says how many
times as fast as the peer a row is; for peak memory, of the whole process, how many times as much the peer takes. MXFP6 is E3M2, in the
operands of every product. \`recomputed\` rows keep each block's input alone for the backward pass and run the block again there; PyTorch does
the same then (\`torch.utils.checkpoint\`).
${table('Training steps', under('training step', training))}${table('Peak memory of a training step', under('peak memory', training), 'peak memory')}${table('Generation, with the cache of keys and values', under('generation', generation))}
The engines:

${engines.join('\n')}
`,
  );
}
