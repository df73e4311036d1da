import { occasion, omitted, tableOfRows, writeDocument } from '../lib/page.mjs';

/** Writes docs/performance.md from the rows that were reported. */
export function writePage(device) {
  const { date, machine, load } = occasion();
  writeDocument(
    'performance.md',
    `# Performance of the cpu backend

Written by \`npm run bench -- cpu --write\` on ${date}: ${machine},
${device}; ${load}. ${omitted()}

All rows were measured in one run. Each figure is the minimum over several rounds; if both libraries run in one process,
their rounds alternate. A ratio is the speed relative to the other library. Relative to \`the copy bandwidth\`, it is the
number of bytes that the kernel must move (each tensor once) divided by the number of bytes that a copy moves in the same
time. Relative to \`the peak of a product\`, it is the throughput divided by that of a product whose operands stay in the
caches. For both, 1 is the limit of the machine. For peak memory (of the whole process), it is the memory of the other
library relative to ours. See [the design of the backend](decisions/0005-cpu-backend.md) and
[its threads](decisions/0011-cpu-threads.md).

${tableOfRows()}
`,
  );
}
