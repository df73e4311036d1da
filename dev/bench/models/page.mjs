import { occasion, omitted, tableOfRows, writeDocument } from '../lib/page.mjs';

/**
 * Of which section a table is, what the names of its rows begin with (all of the section if undefined), its title, and
 * what its figures are.
 */
const tables = [
  ['training', 'training step', 'Training steps', 'speed'],
  ['training', 'peak memory', 'Peak memory of a training step', 'peak memory'],
  ['generation', 'generation', 'Generation, with the cache of keys and values', 'speed'],
  ['command', undefined, 'GPT-2 124M with LMD through the command', 'size'],
];

function tableOf(rows, heading, title, figures) {
  const named = (heading) =>
    rows
      .filter(({ name }) => name.startsWith(`${heading}, `))
      .map((row) => ({ ...row, name: row.name.slice(heading.length + 2) }));
  const own = heading === undefined ? rows : named(heading);
  return own.length === 0 ? [] : [`## ${title}\n\n${tableOfRows(own, figures)}`];
}

/** Writes docs/performance-models.md from the rows of each section. */
export function writePage(sections) {
  const { date, machine, load } = occasion();
  const runtimes = Object.values(sections)
    .flat()
    .flatMap(({ runtime, peerRuntime }) => [runtime, peerRuntime]);
  const engines = [...new Set(runtimes.filter((runtime) => runtime !== undefined))].map((runtime) => `- ${runtime}`);
  writeDocument(
    'performance-models.md',
    `# Performance of the models at full size

Written by \`npm run bench -- models --write\` on ${date}: ${machine}; ${load}. ${omitted()}

Everything was measured in one run, with the same weights, data and number of threads on both sides, in turns, and a process for each side of a
training step; the first losses, or the tokens, must agree before times are compared. A figure is the least of few steps. A ratio says how many
times as fast as the peer a row is; for peak memory, of the whole process, how many times as much the peer takes. MXFP6 is E3M2, in the
operands of every product. \`recomputed\` rows keep each block's input alone for the backward pass and run the block again there; PyTorch does
the same then (\`torch.utils.checkpoint\`). The time of a generation is that of the prompt too and, in MXFP6, of rounding the weights, which is
done once; transformers generates in FP32.

${tables.flatMap(([section, ...rest]) => tableOf(sections[section] ?? [], ...rest)).join('\n\n')}

The engines:

${engines.join('\n')}
`,
  );
}
