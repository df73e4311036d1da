import { occasion, omitted, tableOfRows, writeDocument } from '../lib/page.mjs';

/** Writes docs/performance.md from the rows that were reported. */
export function writePage(device, deviceWithOnnxruntime) {
  const { date, machine, load } = occasion();
  const engine =
    deviceWithOnnxruntime === undefined ? '' : `, and in rows that say so ${deviceWithOnnxruntime.split('; ').at(-1)}`;
  writeDocument(
    'performance.md',
    `# Performance of the cpu backend

Written by \`npm run bench -- cpu --write\` on ${date}: ${machine},
${device}${engine}; ${load}. ${omitted()}

Everything was measured in one run; each figure is the least of several rounds, and where both sides run in one process, their rounds
alternate. A ratio says how many times as fast as the peer a row is. Beside \`the copy bandwidth\` it is what the kernel must move, each
tensor once, over what a copy moves in the same time, and beside \`the peak of a product\` its operations over those of a product whose
operands stay in the caches: 1 is the machine's limit. In rows of peak memory, of the whole process, it is how many times as much the peer takes. [Why the backend is as it is](decisions/0005-cpu-backend.md), and
[how its threads work](decisions/0011-cpu-threads.md).

${tableOfRows()}
`,
  );
}
