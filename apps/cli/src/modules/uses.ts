import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LmdError } from '@lmd/core';
import type { ModuleReference } from '../configuration/module-schema.js';
import type { Configuration } from '../configuration/schema.js';
import { UsageError } from '../errors.js';
import type { ModuleUse } from './load.js';

type Modular = Pick<Configuration, 'backend' | 'data' | 'model' | 'optimizers' | 'plugins'>;

/** Every module that a configuration names, with the key that names it. */
export function moduleUses({ backend, data, model, optimizers, plugins = [] }: Modular): ModuleUse[] {
  return [
    ...(typeof backend === 'string' ? [] : [{ key: 'backend', reference: backend }]),
    ...(data.kind === 'module' ? [{ key: 'data', reference: data }] : []),
    ...(model.kind === 'module' ? [{ key: 'model', reference: model }] : []),
    ...optimizers.flatMap((optimizer) =>
      optimizer.rule === 'module' ? [{ key: `optimizers.${optimizer.name}`, reference: optimizer }] : [],
    ),
    ...plugins.map((reference, index) => ({ key: `plugins.${index}`, reference })),
  ];
}

/** SHA-256 of the file of a module. Modules that it imports itself are not part of it. */
function digestOf({ key, reference: { module } }: ModuleUse): string {
  try {
    return createHash('sha256').update(readFileSync(module)).digest('hex');
  } catch (cause) {
    throw new UsageError('INVALID_ARGUMENT', `${key}: ${module} cannot be read.`, {
      subject: key,
      value: module,
      remedy: 'Put the module back, or name another in the configuration.',
      cause,
    });
  }
}

/** The configuration with the SHA-256 of each module, which a resumed run compares. */
export function withDigests(configuration: Configuration): Configuration {
  const stamped = <T extends ModuleReference>(key: string, reference: T): T => ({
    ...reference,
    sha256: digestOf({ key, reference }),
  });
  const { backend, data, model, optimizers, plugins } = configuration;
  return {
    ...configuration,
    backend: typeof backend === 'string' ? backend : stamped('backend', backend),
    data: data.kind === 'module' ? stamped('data', data) : data,
    model: model.kind === 'module' ? stamped('model', model) : model,
    optimizers: optimizers.map((optimizer) =>
      optimizer.rule === 'module' ? stamped(`optimizers.${optimizer.name}`, optimizer) : optimizer,
    ),
    ...(plugins === undefined
      ? {}
      : { plugins: plugins.map((reference, index) => stamped(`plugins.${index}`, reference)) }),
  };
}

/** A note for each module whose file has changed since the run started. */
export function notesOnModules(configuration: Configuration): string[] {
  return changedUses(configuration).map(
    ({ key, reference }) => `${key}: ${reference.module} has changed since the run started.`,
  );
}

/**
 * Checks that a run can be resumed with its modules as they are now. Like the backend of a configuration, that of a
 * module may change.
 *
 * @returns a note for a changed backend.
 * @throws LmdError `CHECKPOINT_MISMATCH` naming the key of any other module that has changed.
 */
export function checkModulesForResume(configuration: Configuration): string[] {
  const changed = changedUses(configuration);
  const other = changed.find(({ key }) => key !== 'backend');
  if (other === undefined) return changed.length === 0 ? [] : notesOnModules(configuration);
  const { key, reference } = other;
  throw new LmdError('CHECKPOINT_MISMATCH', `${key}: ${reference.module} has changed since the run started.`, {
    subject: key,
    value: reference.module,
    remedy: 'Restore the file, or start a new run with the changed module.',
  });
}

function changedUses(configuration: Configuration): ModuleUse[] {
  return moduleUses(configuration).filter(
    (use) => use.reference.sha256 !== undefined && digestOf(use) !== use.reference.sha256,
  );
}

/** A part of a configuration without the path of its module, which may move; its contents have a digest. */
export function withoutModulePath<T extends object>(part: T): object {
  const { module: _, ...rest } = { module: undefined, ...part };
  return 'sha256' in part && part.sha256 !== undefined ? rest : part;
}
