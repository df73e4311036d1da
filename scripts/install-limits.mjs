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
  '@lmd/cli': { packages: 34, megabytes: 40 },
  '@lmd/conformance': { packages: 8, megabytes: 1.8 },
  '@lmd/core': { packages: 1, megabytes: 0.6 },
  '@lmd/create': { packages: 1, megabytes: 0.2 },
  '@lmd/data': { packages: 6, megabytes: 4 },
  '@lmd/inference': { packages: 11, megabytes: 5 },
  '@lmd/models': { packages: 4, megabytes: 1 },
  '@lmd/mx-formats': { packages: 1, megabytes: 0.2 },
  '@lmd/native': { packages: 1, megabytes: 0.2 },
  '@lmd/onnx': { packages: 6, megabytes: 3.5 },
  '@lmd/safetensors': { packages: 1, megabytes: 0.2 },
  '@lmd/tfjs': { packages: 17, megabytes: 80 },
  '@lmd/training': { packages: 4, megabytes: 1 },
};
