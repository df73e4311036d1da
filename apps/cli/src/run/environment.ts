import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { version } from '../../package.json';
import { bytes } from '../output/units.js';

/** `AMD EPYC 7763, 2 cores, 7.8 GiB, linux x64`. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim();
  const cores = availableParallelism();
  const parts = [model, `${cores} ${cores === 1 ? 'core' : 'cores'}`, bytes(totalmem()), `${platform()} ${arch()}`];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** The packages of a run with their versions, as installed. */
export function installedVersions(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const installed = ['core', 'mx-formats', 'autograd', 'models', 'training', 'backends'].flatMap((name) => {
    try {
      const manifest = require(`@lmd/${name}/package.json`) as { version: string };
      return [[`@lmd/${name}`, manifest.version] as const];
    } catch {
      // A bundled package has no manifest. Its version is omitted.
      return [];
    }
  });
  return Object.fromEntries([['@lmd/cli', version], ...installed]);
}

/** `@lmd/cli 0.1.0, @lmd/core 0.1.0, …`. */
export function describeVersions(): string {
  return Object.entries(installedVersions())
    .map(([name, installed]) => `${name} ${installed}`)
    .join(', ');
}

/** `2025-11-22 14:05 UTC`. */
export function describeDate(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
