import { LmdError } from '@lmd/core';
import type { Transport } from '@lmd/distributed';
import type { Configuration } from '../configuration/schema.js';
import { describeSource, pathOf } from '../data/index.js';
import type { Order } from './messages.js';
import { hashOfData, manifestOf, shareData } from './shared-data.js';

/** Describes data to workers. Its files are read, and put into the store, once. */
export function sharedDataOf(transport: Transport, upload: boolean) {
  const known = new Map<string, Promise<Order['data']>>();
  const share = async (configuration: Configuration['data']): Promise<Order['data']> => {
    const manifest = await manifestOf(configuration);
    if (manifest === undefined) return { kind: 'source', source: describeSource(configuration) };
    const { path } = pathOf(configuration) as { readonly path: string };
    if (upload) await shareData(transport.store, path, manifest);
    return { kind: 'files', hash: hashOfData(manifest), path };
  };
  return (configuration: Configuration['data']): Promise<Order['data']> => {
    const key = JSON.stringify([configuration.kind, pathOf(configuration)?.path]);
    const shared = known.get(key) ?? share(configuration);
    known.set(key, shared);
    return shared;
  };
}

/** Files other than the data, which a worker does not have. */
export function refuseFiles(
  { model, optimizers, plugins, backend, data }: Configuration,
  label: string,
  remedy: string,
): void {
  const refuse = (key: string, what: string) => {
    throw new LmdError('UNSUPPORTED', `${label}: ${key} is ${what}, which workers on other machines do not have.`, {
      subject: key,
      remedy,
    });
  };
  if (model.kind === 'module' || data.kind === 'module') refuse(model.kind === 'module' ? 'model' : 'data', 'a module');
  if ('weights' in model && model.weights !== undefined) refuse('model.weights', 'a file');
  if (optimizers.some((one) => 'module' in one && one.module !== undefined)) refuse('optimizers', 'a module');
  if (plugins !== undefined && plugins.length > 0) refuse('plugins', 'a list of modules');
  if (typeof backend !== 'string') refuse('backend', 'a module');
}
