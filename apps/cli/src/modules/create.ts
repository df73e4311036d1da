import { type Backend, checkBackend, checkOptimizer, type Optimizer } from '@lmd/core';
import { checkDataset, checkPlugins, type Dataset, type Plugin } from '@lmd/training';
import type { ModuleReference } from '../configuration/module-schema.js';
import {
  guarded,
  inModule,
  inModuleSync,
  loadedModule,
  loadModule,
  type ModuleUse,
  moduleOptions,
  refused,
} from './load.js';

/** Creates the backend of a module: `create(options, { threads })`. */
export async function createModuleBackend(reference: ModuleReference, context: object): Promise<Backend> {
  const use = { key: 'backend', reference };
  const { create } = await loadModule(use);
  const options = moduleOptions(use);
  return inModule(use, async () => {
    const backend = (await create(options, context)) as Backend;
    checkBackend(backend);
    return backend;
  });
}

/** Creates the plugins of a configuration: `create(options, { folder })`. */
export async function createModulePlugins(
  references: readonly ModuleReference[],
  context: { readonly folder: string },
): Promise<Plugin[]> {
  const plugins: Plugin[] = [];
  for (const [index, reference] of references.entries()) {
    const use = { key: `plugins.${index}`, reference };
    const { create } = await loadModule(use);
    const options = moduleOptions(use);
    plugins.push(
      await inModule(use, async () => {
        const plugin = (await create(options, context)) as Plugin;
        checkPlugins([plugin]);
        return plugin;
      }),
    );
  }
  return plugins;
}

/** An optimizer of a loaded module: `create(options)`, whose step sizes are schedules. */
export function createModuleOptimizer(use: ModuleUse, options: object): Optimizer {
  const { create } = loadedModule(use);
  const resolved = moduleOptions(use, options);
  return inModuleSync(use, () => {
    const optimizer = create(resolved, {}) as Optimizer;
    checkOptimizer(optimizer);
    return guarded(use, optimizer, ['init', 'draw', 'update', 'weights']);
  });
}

/** What `create` of a data module returns. */
export interface ModuleDatasets {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  close?(): void | Promise<void>;
}

/** Creates the data sets of a module: `create(options, { seed })`. */
export async function createModuleData(
  reference: ModuleReference,
  context: { readonly seed: number },
): Promise<ModuleDatasets> {
  const use = { key: 'data', reference };
  const { create } = await loadModule(use);
  const options = moduleOptions(use);
  return inModule(use, async () => {
    const data = (await create(options, context)) as ModuleDatasets | null | undefined;
    for (const part of ['train', 'validation', 'test'] as const) {
      if (data?.[part] === undefined) {
        throw refused(use, `returned no ${part}`, 'create(options, { seed }) returns { train, validation, test }.');
      }
      checkDataset('create', part, data[part]);
    }
    return data!;
  });
}
