import { wrapText } from '../output/wrap.js';
import type { ClusterJob } from './cluster-job.js';

const columns = 100;

/** A page of Markdown from its lines. Text and list items are wrapped, code is not. */
export function readmePage(lines: readonly string[]): string {
  const wrapped = lines.map((line) =>
    line.startsWith(' ') ? line : wrapText(line, columns, line.startsWith('- ') ? 2 : 0),
  );
  return `${wrapped.join('\n')}\n`;
}

/** What the processes of a job do. */
export function summaryOf({ task, world }: ClusterJob, process: string): string {
  const number = world === 1 ? `one ${process}` : `${world} ${process}s`;
  if (task.kind === 'training') return `A training in ${number}: ${process} 0 leads, the others are workers.`;
  return `A study in ${number}, all of which run trials. ${process[0]!.toUpperCase()}${process.slice(1)} 0 also plans and records them.`;
}

/** The last line, by which a folder is known as an export. */
export const writtenBy = (command: string): string =>
  `Written by \`${command.replaceAll('`', "'").replace(/[\r\n]+/g, ' ')}\`.`;

/** What the last line of every page begins with. */
export const exportMark = 'Written by `lmd cluster export';
