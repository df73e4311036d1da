import { isLmdError, type PlainOption, resolveOption } from '@lmd/core';
import { InvalidArgumentError, Option } from 'commander';

/**
 * An option of the command line from a table of options: its meaning, choices, bounds and default.
 *
 * @param flags as commander takes them: `--top-k <count>`.
 */
export function tableOption(flags: string, option: PlainOption): Option {
  const made = new Option(flags, option.describe);
  if (option.kind === 'choice') made.choices(option.choices);
  else if (option.kind === 'number' || option.kind === 'integer') made.argParser((text) => parsed(text, option));
  return option.default === undefined ? made : made.default(option.default);
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `--set` of a command that takes a configuration. */
export function setOption(): Option {
  const describe = 'change a key of the configuration; entries of lists by index or name';
  return new Option('--set <key=value...>', describe).argParser(collect);
}

/**
 * `--only` of a command that takes a configuration.
 *
 * @param verb what the command does with an optimizer: `train`.
 */
export function onlyOption(verb: string): Option {
  const describe = `${verb} only these optimizers of the configuration`;
  return new Option('--only <optimizer...>', describe).argParser(collect);
}

/** An option with one of a few words, or several of them where the flags end in `...`. */
export function choiceOption(flags: string, describe: string, choices: readonly string[]): Option {
  return new Option(flags, describe).choices(choices);
}

function parsed(text: string, option: PlainOption): number {
  try {
    return resolveOption('', '', option, text.trim() === '' ? Number.NaN : Number(text)) as number;
  } catch (error) {
    if (!isLmdError(error)) throw error;
    throw new InvalidArgumentError(error.remedy ?? error.message);
  }
}
