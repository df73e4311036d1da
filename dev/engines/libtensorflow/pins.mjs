/**
 * The wheel of the C library of each engine. TensorFlow's C interface is backward compatible, so this library works
 * with tfjs-node 4.22, which was written for 2.9.
 */
const common = {
  version: '2.15.1',
  python: '311',
  platforms: ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'],
};

export const engines = {
  'tfjs-node': {
    ...common,
    package: 'tensorflow-cpu',
    sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  },
  'tfjs-node-gpu': {
    ...common,
    package: 'tensorflow',
    sha256: 'bb0edd69103c154245c5f209f0507355cc68ba7e4de350084bc31edc562478e4',
  },
};
