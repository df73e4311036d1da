import { type ErrorCode, LmdError } from './errors.js';
import { showValue } from './show-value.js';

/**
 * How a setting of a file is taken that another library wrote:
 * - `used`: whoever reads the file asks for it.
 * - `ignored`: it does not change what is computed from the file's tensors, whatever it says.
 * - a list: the values that are implemented, compared as JSON. A setting that is missing has one of them.
 */
export type ForeignSetting = 'used' | 'ignored' | readonly unknown[];

export interface ForeignSettingsOptions {
  /** The file, as errors call it. */
  readonly file: string;
  /** Every setting that is known, by name. */
  readonly known: { readonly [name: string]: ForeignSetting };
  /** What to do where a value is not implemented. Default: to convert the model with the library that wrote it. */
  readonly remedy?: string;
  /** Of an error about a value. Default `UNSUPPORTED`. */
  readonly code?: ErrorCode;
}

/** The settings of a file, checked: nothing in it that would change the result is passed over. */
export interface ForeignSettings {
  has(name: string): boolean;
  value(name: string): unknown;
  /** A positive integer. */
  count(name: string, usual?: number): number;
  /** A finite number above 0. */
  positive(name: string, usual?: number): number;
  flag(name: string, usual: boolean): boolean;
  /** What a text stands for. */
  choice<T>(name: string, choices: { readonly [text: string]: T }, usual?: string): T;
  /** Throws: this setting has a value that is not implemented. */
  refuse(name: string, remedy?: string): never;
}

/**
 * The value of JSON text from a file, which may begin with a byte order mark, as some editors write one.
 *
 * @param file as errors call it.
 * @throws LmdError `DATA_CORRUPT` that says what is cut or damaged.
 */
export function parseForeignJson(text: string, file: string, remedy = 'Fetch or write it again.'): unknown {
  try {
    return JSON.parse(withoutByteOrderMark(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LmdError('DATA_CORRUPT', `${file} is no valid JSON: ${reason}.`, { subject: file, remedy, cause });
  }
}

/** Text of a file without the byte order mark that some editors begin it with. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** What a setting has that is not made use of. */
const unset = ['null', 'false', '{}', '[]', '""'];

/**
 * Reads settings that another library wrote, by a list of all that are known. An unknown setting is refused by
 * its name, unless it is null, false or empty: a setting that a later version adds is off by default, and what it does
 * when it is on cannot be guessed.
 *
 * @param json the parsed file, of which nothing is taken on trust.
 * @throws LmdError `DATA_CORRUPT` for anything but an object; `UNSUPPORTED`, or `code`, naming the setting and its
 *   value.
 */
export function foreignSettings(json: unknown, options: ForeignSettingsOptions): ForeignSettings {
  const { file, known, code = 'UNSUPPORTED' } = options;
  const usualRemedy = options.remedy ?? 'Convert the model with the library that wrote it.';
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new LmdError('DATA_CORRUPT', `${file} holds ${showValue(json)}, and must hold a JSON object.`, {
      subject: file,
      value: json,
      remedy: 'Fetch or write it again.',
    });
  }
  const value = (name: string): unknown => (Object.hasOwn(json, name) ? json[name as keyof typeof json] : undefined);
  const has = (name: string) => value(name) !== undefined && value(name) !== null;
  const fail = (name: string, remedy: string, given = value(name)): never => {
    const says = given === undefined ? `${file} lacks ${name}.` : `${file} has ${name} = ${showValue(given)}.`;
    throw new LmdError(code, says, { subject: name, value: given, remedy });
  };
  for (const [name, given] of Object.entries(json)) {
    const text = JSON.stringify(given) ?? 'null';
    const setting = Object.hasOwn(known, name) ? known[name] : undefined;
    if (setting === 'used' || setting === 'ignored') continue;
    if (setting === undefined) {
      if (unset.includes(text)) continue;
      fail(name, 'This setting is not known: remove it only if it does not change what the model computes.');
    } else if (!setting.some((allowed) => JSON.stringify(allowed) === text)) {
      const allowed = setting.map((one) => JSON.stringify(one)).join(' or ');
      fail(name, `It must be ${allowed}. ${usualRemedy}`);
    }
  }
  const number = (
    name: string,
    usual: number | undefined,
    fits: (value: number) => boolean,
    remedy: string,
  ): number => {
    const given = has(name) ? value(name) : usual;
    return typeof given === 'number' && fits(given) ? given : fail(name, remedy);
  };
  return {
    has,
    value,
    count: (name, usual) =>
      number(name, usual, (given) => Number.isSafeInteger(given) && given > 0, 'It must be a positive integer.'),
    positive: (name, usual) =>
      number(name, usual, (given) => Number.isFinite(given) && given > 0, 'It must be a positive number.'),
    flag: (name, usual) => {
      const given = has(name) ? value(name) : usual;
      return typeof given === 'boolean' ? given : fail(name, 'It must be true or false.');
    },
    choice: (name, choices, usual) => {
      const given = has(name) ? value(name) : usual;
      if (typeof given === 'string' && Object.hasOwn(choices, given)) return choices[given]!;
      return fail(name, `It must be one of ${Object.keys(choices).join(', ')}.`);
    },
    refuse: (name, remedy = usualRemedy) => fail(name, remedy),
  };
}
