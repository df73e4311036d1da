import { parseArgs } from 'node:util';

/**
 * The arguments of a benchmark that can write a page: `json`, `write` and `quick`, the number of rounds (1 with
 * `--quick`), and those of `more`. A quick run cannot be written.
 *
 * @param {import('node:util').ParseArgsConfig['options']} more options of this benchmark, as `parseArgs` takes them
 * @param {number} rounds default of `--rounds`
 * @returns {{ json: boolean, write: boolean, quick: boolean, rounds: number, [name: string]: any }}
 */
export function benchArguments(more, rounds = 7) {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      ...more,
    },
  });
  const given = /** @type {Record<string, any>} */ (values);
  if (given.quick && given.write) {
    throw new Error('--quick cannot be combined with --write: its times are not meaningful. Remove one of them.');
  }
  const { json, write, quick } = given;
  return { ...given, json, write, quick, rounds: Number(given.rounds ?? (given.quick ? 1 : rounds)) };
}
