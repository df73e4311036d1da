import { basename } from 'node:path';
import { createModuleData } from '../modules/create.js';
import { moduleGeometry, prepareData } from '../modules/prepare.js';
import type { DataSource } from './source.js';

/** Data of a module of a third party. */
export const moduleData: DataSource<'module'> = {
  // The specifier is made absolute, and its existence checked, before the configuration is validated.
  locate: (configuration) => configuration,
  geometry: moduleGeometry,
  async load(configuration, seed) {
    await prepareData(configuration);
    const { train, validation, test, close } = await createModuleData(configuration, { seed });
    return { train, validation, test, ...(close === undefined ? {} : { close: async () => close() }) };
  },
  describe: ({ module }) => `data of ${basename(module)}`,
};
