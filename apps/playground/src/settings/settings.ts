import { defaultsOf, isLmdError, type Option, type OptionTable, option, resolveOption } from '@lmd/core';

/** What a run trains on. */
export const dataKinds = ['digits', 'clothes', 'pictures', 'text'] as const;
export type DataKind = (typeof dataKinds)[number];

/** The optimizers to choose from, by their rule in `optimizerRules` of @lmd/core. */
export const optimizerNames = { lmd: 'LMD', adamw: 'AdamW', lion: 'Lion', muon: 'Muon', ivon: 'IVON' } as const;
export type OptimizerName = keyof typeof optimizerNames;

/** The formats to choose from, by their name in `precisionPreset` of @lmd/models. */
export const formatNames = {
  fp32: 'FP32',
  bf16: 'BF16',
  mxint8: 'MXINT8',
  mxfp8_e4m3: 'MXFP8 E4M3',
  mxfp6_e3m2: 'MXFP6 E3M2',
  mxfp6_e2m3: 'MXFP6 E2M3',
  mxfp4_e2m1: 'MXFP4 E2M1',
  nvfp4: 'NVFP4',
} as const;
export type FormatName = keyof typeof formatNames;

/** The settings of one of the two runs. All of them can be changed while it trains. */
export const runOptionTable = {
  optimizer: option.choice(Object.keys(optimizerNames) as OptimizerName[], {
    default: 'lmd',
    describe: 'Optimizer of the matrices.',
  }),
  format: option.choice(Object.keys(formatNames) as FormatName[], {
    default: 'fp32',
    describe: 'Format of weights and activations in the matrix products of the forward pass.',
  }),
  rate: option.number({ atLeast: 0.0001, atMost: 0.3, default: 0.01, describe: 'Learning rate.' }),
  noise: option.number({
    atLeast: 0,
    atMost: 1,
    default: 0.02,
    describe: 'σ of LMD: standard deviation of log θ around the log median.',
  }),
} as const satisfies OptionTable;

/** The settings of both runs together. */
export const commonOptionTable = {
  data: option.choice(dataKinds, { default: 'digits', describe: 'What to train on.' }),
  seed: option.integer({ atLeast: 0, atMost: 2 ** 32 - 1, default: 0, describe: 'Random seed.' }),
  batch: option.integer({ atLeast: 1, atMost: 256, default: 32, describe: 'Examples per step.' }),
  steps: option.integer({
    atLeast: 0,
    atMost: 1e9,
    default: 0,
    describe: 'Step at which training pauses; with 0, it goes on until it is paused.',
  }),
  device: option.choice(['auto', 'webgpu', 'wasm'], {
    default: 'auto',
    describe: 'What computes: WebGPU where it works, or WebAssembly.',
  }),
} as const satisfies OptionTable;

export interface RunSettings {
  readonly optimizer: OptimizerName;
  readonly format: FormatName;
  readonly rate: number;
  readonly noise: number;
}

export interface Settings {
  readonly data: DataKind;
  readonly seed: number;
  readonly batch: number;
  readonly steps: number;
  readonly device: 'auto' | 'webgpu' | 'wasm';
  readonly runs: readonly [RunSettings, RunSettings];
}

/** Learning rates to begin with, of images and of characters (docs/choosing-settings.md). */
export const usualRates: Record<OptimizerName, readonly [images: number, characters: number]> = {
  lmd: [0.01, 0.04],
  adamw: [0.003, 0.003],
  lion: [0.0006, 0.0006],
  muon: [0.02, 0.02],
  ivon: [0.1, 0.1],
};

const run: RunSettings = defaultsOf(runOptionTable);

/** What a page begins with for some data: LMD in FP32 beside MXFP4. */
export function defaultsFor(data: DataKind): Settings {
  const isText = data === 'text';
  const own = { ...run, rate: usualRates.lmd[isText ? 1 : 0] };
  const common = defaultsOf(commonOptionTable);
  return { ...common, ...(isText ? { batch: 8 } : {}), data, runs: [own, { ...own, format: 'mxfp4_e2m1' }] };
}

export const defaultSettings = defaultsFor('digits');

/** `settings` as the fragment of an address: only what differs from the defaults. */
export function fragmentOf(settings: Settings): string {
  const { runs, ...common } = settings;
  const defaults = defaultsFor(settings.data);
  const parts = differing('', common, { ...defaults, data: defaultSettings.data });
  for (const [n, one] of runs.entries()) parts.push(...differing('ab'[n]!, one, defaults.runs[n]!));
  return new URLSearchParams(parts).toString();
}

function differing(run: string, values: object, defaults: object): [string, string][] {
  return Object.entries(values)
    .filter(([name, value]) => (defaults as Record<string, unknown>)[name] !== value)
    .map(([name, value]) => [run === '' ? name : `${run}.${name}`, String(value)]);
}

/** Settings of an address, and what it says that is not allowed, which keeps its default. */
export interface ReadSettings {
  readonly settings: Settings;
  readonly problems: readonly string[];
}

/** Reads the fragment of an address that someone shared. */
export function settingsFrom(fragment: string): ReadSettings {
  const problems: string[] = [];
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  const data = dataKinds.find((kind) => kind === parameters.get('data')) ?? defaultSettings.data;
  const { runs, ...common } = defaultsFor(data);
  const merged = { '': { ...common }, a: { ...runs[0] }, b: { ...runs[1] } } as Record<string, Record<string, unknown>>;
  for (const [key, text] of parameters) {
    const [, owner = '', name = ''] = /^(?:([ab])\.)?(.*)$/s.exec(key)!;
    const table: OptionTable = owner === '' ? commonOptionTable : runOptionTable;
    if (!Object.hasOwn(table, name)) {
      problems.push(`The address has "${key}", which is no setting. It was ignored.`);
      continue;
    }
    try {
      merged[owner]![name] = parsed(key, table[name]!, text);
    } catch (error) {
      if (!isLmdError(error)) throw error;
      problems.push(`${error.message} The default is used.`);
    }
  }
  const settings = { ...merged[''], runs: [merged.a, merged.b] } as unknown as Settings;
  return { settings, problems };
}

function parsed(key: string, declared: Option, text: string): unknown {
  const isNumber = declared.kind === 'number' || declared.kind === 'integer';
  return resolveOption('The address', key, declared, isNumber && text.trim() !== '' ? Number(text) : text);
}

/** Settings of a file, which may be of another version or another program. Throws an LmdError naming the setting. */
export function checkedSettings(given: unknown): Settings {
  const record = (given ?? {}) as { readonly runs?: readonly unknown[] } & Record<string, unknown>;
  const of = (table: OptionTable, values: unknown, owner: string) =>
    Object.fromEntries(
      Object.entries(table).map(([name, declared]) => [
        name,
        resolveOption(owner, name, declared, (values as Record<string, unknown> | undefined)?.[name]),
      ]),
    );
  return {
    ...of(commonOptionTable, record, 'The file'),
    runs: [0, 1].map((n) => of(runOptionTable, record.runs?.[n], `Run ${'AB'[n]} of the file`)),
  } as unknown as Settings;
}
