import { parseArgs } from 'node:util';
import { describeOption, LmdError, type OptionTable, option, type ResolvedOptions, resolveOptions } from '@lmd/core';
import { samplerOptionTable } from './samplers.js';

/** The options of the command, declared once: parsed, checked and described from this table. */
export const commandOptionTable = {
  data: option.choice(['digits', 'clothes', 'mixture'], {
    default: 'digits',
    describe: 'MNIST, Fashion-MNIST, or a mixture of log-normals whose score is known.',
  }),
  folder: option.text({ describe: 'Folder with the four IDX files of the pictures.' }),
  process: option.choice(['paper', 'long'], {
    default: 'long',
    describe: 'Process and sampler of the paper, or a longer process and exact time reversal.',
  }),
  optimizer: option.choice(['adamw', 'lmd'], { default: 'adamw', describe: 'Optimizer of the score network.' }),
  learningRate: option.number({ above: 0, describe: 'Largest learning rate. Default: 0.01 for lmd, 0.002 for adamw.' }),
  precision: option.text({ default: 'fp32', describe: 'Precision of the matrix products, such as mxfp6_e3m2.' }),
  steps: option.integer({ atLeast: 1, describe: 'Training steps. Default: 5000, clothes 12000, mixture 1000.' }),
  batchSize: option.integer({ atLeast: 1, default: 64, describe: 'Pictures in each training step.' }),
  rule: samplerOptionTable.rule,
  levels: option.integer({ atLeast: 1, default: 250, describe: samplerOptionTable.levels.describe }),
  inner: option.integer({ atLeast: 1, describe: 'Inner steps K at each noise level. Default: 1; unconstrained 4.' }),
  pictures: option.integer({ atLeast: 1, describe: 'Number of pictures to sample. Default: 100, mixture 500.' }),
  seed: option.integer({ atLeast: 0, default: 0, describe: 'Random seed.' }),
  out: option.text({ describe: 'Output folder. Default: runs/dale-langevin/<data>-<optimizer>.' }),
  readme: option.text({ describe: 'Markdown file that also receives the table and the pictures.' }),
} as const satisfies OptionTable;

export type CommandOptions = ResolvedOptions<typeof commandOptionTable>;

const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * The options of a command line, or undefined if it asks for help.
 *
 * @throws LmdError `UNKNOWN_OPTION` or `INVALID_ARGUMENT`, naming the option, its value and what is allowed.
 */
export function parseOptions(args: readonly string[]): CommandOptions | undefined {
  const names = Object.keys(commandOptionTable);
  const flags = Object.fromEntries(names.map((name) => [flagOf(name), { type: 'string' as const }]));
  const { values, positionals } = parseArgs({ args: [...args], options: flags, strict: false, allowPositionals: true });
  if (values.help !== undefined) return undefined;
  const given = Object.entries(values).map(([flag, value]) => {
    const name = names.find((known) => flagOf(known) === flag) ?? flag;
    const isNumber = ['integer', 'number'].includes((commandOptionTable as OptionTable)[name]?.kind ?? '');
    const number = isNumber && typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    return [name, Number.isNaN(number) ? value : number];
  });
  const options = resolveOptions('dale-langevin', commandOptionTable, Object.fromEntries(given));
  if (positionals.length > 0) {
    throw new LmdError('INVALID_ARGUMENT', `dale-langevin: ${JSON.stringify(positionals[0])} is not an option.`, {
      subject: 'arguments',
      value: positionals[0],
      remedy: 'Options begin with --, as in --steps 1000.',
    });
  }
  return options;
}

/** The help text. */
export function usage(): string {
  const lines = Object.entries(commandOptionTable).map(
    ([name, declared]) => `  --${flagOf(name).padEnd(14)} ${describeOption(declared)}`,
  );
  return `npm run example -- dale-langevin [options]\n\n${lines.join('\n')}\n`;
}
