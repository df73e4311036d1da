import { occasion, omitted, tableOfRows, writeDocument } from '../lib/page.mjs';

/**
 * For each table: its section, the prefix of the names of its rows (undefined: all rows of the section), its title, and
 * the title of its figures.
 */
const tables = [
  ['training', 'training step', 'Training steps', 'speed'],
  ['training', 'peak memory', 'Peak memory of a training step', 'peak memory'],
  ['training', 'memory beside AdamW', 'The same beside our own step of AdamW in FP32', 'peak memory'],
  ['generation', 'generation', 'Generation, with a key-value cache', 'speed'],
  ['caches', 'generation', 'Generation after long contexts, with caches in block formats', 'speed'],
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

All rows were measured in one run, with the same weights, data and number of threads for both libraries, which run
alternately; for training steps, each runs in its own process. The first losses, or the tokens, must agree before times
are compared. A figure is the minimum over several steps. A ratio is the speed relative to the other library; for peak
memory (of the whole process) it is the memory of the other library relative to ours. In training, E2M3 is the format of
the operands of every forward product; in generation, MXFP6 is E3M2. \`recomputed\` rows use gradient checkpointing for each block; PyTorch then uses
\`torch.utils.checkpoint\`. The time of generation includes the prompt and, in MXFP6, quantizing the weights once;
transformers generates in FP32.

${tables.flatMap(([section, ...rest]) => tableOf(sections[section] ?? [], ...rest)).join('\n\n')}

Engines:

${engines.join('\n')}
`,
  );
}
