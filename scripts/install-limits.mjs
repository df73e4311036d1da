/**
 * Upper bounds of what the installation of each published package brings, itself included, without optional peers: the
 * number of packages, and megabytes (10⁶ bytes). `npm run sizes` shows them beside the sizes; test/packaging.test.ts
 * holds them.
 *
 * @type {Readonly<Record<string, { readonly packages: number, readonly megabytes: number }>>}
 */
export const installLimits = {
  '@lmd/autograd': { packages: 2, megabytes: 0.7 },
  '@lmd/backends': { packages: 4, megabytes: 1.6 },
  '@lmd/cli': { packages: 45, megabytes: 43 },
  '@lmd/conformance': { packages: 8, megabytes: 1.8 },
  '@lmd/core': { packages: 1, megabytes: 0.6 },
  '@lmd/create': { packages: 1, megabytes: 0.2 },
  '@lmd/data': { packages: 6, megabytes: 4 },
  '@lmd/distributed': { packages: 13, megabytes: 3.5 },
  '@lmd/inference': { packages: 11, megabytes: 5 },
  '@lmd/models': { packages: 4, megabytes: 1 },
  '@lmd/mx-formats': { packages: 1, megabytes: 0.2 },
  '@lmd/native': { packages: 1, megabytes: 0.2 },
  '@lmd/onnx': { packages: 6, megabytes: 3.5 },
  '@lmd/safetensors': { packages: 1, megabytes: 0.2 },
  '@lmd/tfjs': { packages: 17, megabytes: 80 },
  '@lmd/training': { packages: 4, megabytes: 1 },
};

/**
 * Upper bounds of the size of each entry point in kilobytes (10³ bytes): all of it and its dependencies, bundled,
 * minified and compressed by gzip (`scripts/entry-sizes.mjs`). test/entry-sizes.test.ts holds them.
 *
 * @type {Readonly<Record<string, number>>}
 */
export const entryLimits = {
  '@lmd/autograd': 10,
  '@lmd/backends/cpu': 105,
  '@lmd/backends/reference': 50,
  '@lmd/backends/tfjs': 55,
  '@lmd/backends/tfjs-node': 40,
  '@lmd/backends/webgpu': 50,
  '@lmd/cli': 930,
  '@lmd/cli/experiment': 560,
  '@lmd/conformance': 190,
  '@lmd/core': 50,
  '@lmd/create': 2,
  '@lmd/data': 250,
  '@lmd/data/images': 15,
  '@lmd/data/node': 270,
  '@lmd/data/text': 240,
  '@lmd/distributed': 16,
  '@lmd/distributed/conformance': 4,
  '@lmd/distributed/nats': 90,
  '@lmd/inference': 330,
  '@lmd/inference/backend': 150,
  '@lmd/inference/node': 360,
  '@lmd/inference/posterior': 30,
  '@lmd/models': 85,
  '@lmd/mx-formats': 35,
  '@lmd/native': 5,
  '@lmd/onnx': 35,
  '@lmd/safetensors': 8,
  '@lmd/safetensors/node': 9,
  '@lmd/tfjs': 125,
  '@lmd/training': 70,
  '@lmd/training/node': 20,
};
