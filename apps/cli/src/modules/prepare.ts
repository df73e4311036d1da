import { checkModel, type Model } from '@lmd/core';
import type { Configuration } from '../configuration/schema.js';
import type { Geometry } from '../data/source.js';
import { checkGeometry, missingGeometry } from './geometry.js';
import { guarded, inModule, loadModule, type ModuleUse, moduleOptions, refused } from './load.js';
import { moduleUses } from './uses.js';

/** A model of a module of a third party. */
export interface ModuleModel extends Model {
  readonly architecture: 'module';
  /** The options of the configuration. */
  readonly config: Readonly<Record<string, unknown>>;
}

type ModuleData = Extract<Configuration['data'], { readonly kind: 'module' }>;
type ModuleModelConfiguration = Extract<Configuration['model'], { readonly kind: 'module' }>;

/**
 * What modules have created in this process. Modules load asynchronously, and models and geometries are needed where
 * nothing can be awaited; like the modules themselves, they depend only on the path and the options.
 */
const geometries = new Map<string, Geometry>();
const models = new Map<string, ModuleModel>();

/**
 * Loads every module of a configuration, checks its options, and creates the model, so that errors are found before a
 * run folder is created. Must be called before the other functions of this file; repeated calls do nothing.
 *
 * @throws UsageError naming the key, the module and what is missing.
 */
export async function prepareModules(
  configuration: Pick<Configuration, 'backend' | 'data' | 'model' | 'optimizers' | 'plugins'>,
  geometryOf: (data: Configuration['data']) => Geometry,
): Promise<void> {
  for (const use of moduleUses(configuration)) {
    await loadModule(use);
    moduleOptions(use);
  }
  const { data, model } = configuration;
  if (data.kind === 'module') await prepareData(data);
  if (model.kind !== 'module' || models.has(modelKey(model, data))) return;
  const use = { key: 'model', reference: model };
  const { create } = await loadModule(use);
  const created = await inModule(use, async () => {
    const given = (await create(moduleOptions(use), { geometry: geometryOf(data) })) as Model;
    checkModel(given);
    return given;
  });
  const config = moduleOptions(use) as ModuleModel['config'];
  const network = guarded(use, created, ['initialize', 'forward']);
  models.set(modelKey(model, data), { ...network, architecture: 'module', config });
}

/** Loads a data module and its geometry. */
export async function prepareData(data: ModuleData): Promise<void> {
  const key = dataKey(data);
  if (geometries.has(key)) return;
  const use: ModuleUse = { key: 'data', reference: data };
  const { geometry } = (await loadModule(use)).exports;
  if (typeof geometry !== 'function') throw missingGeometry(use);
  const returned = await inModule(use, () => (geometry as (options: object) => unknown)(moduleOptions(use)));
  geometries.set(key, checkGeometry(use, returned));
}

/** The geometry of a prepared data module. */
export function moduleGeometry(data: ModuleData): Geometry {
  const known = geometries.get(dataKey(data));
  if (known !== undefined) return known;
  throw unprepared({ key: 'data', reference: data });
}

/** The model of a prepared model module. */
export function moduleModel(model: ModuleModelConfiguration, data: Configuration['data']): ModuleModel {
  const known = models.get(modelKey(model, data));
  if (known !== undefined) return known;
  throw unprepared({ key: 'model', reference: model });
}

const unprepared = (use: ModuleUse): Error =>
  refused(use, 'is not loaded yet', 'Call resolveConfiguration first, which loads the modules of a configuration.');

const dataKey = ({ module, options }: ModuleData): string => JSON.stringify([module, options]);

const modelKey = ({ module, options }: ModuleModelConfiguration, data: Configuration['data']): string =>
  JSON.stringify([module, options, data]);
