import { libraryConfig } from '../../tsup.shared.ts';

// The golden results are private: they become part of the suite.
export default libraryConfig(
  { index: 'src/index.ts' },
  { noExternal: ['@lmd/mx-golden'], dts: { resolve: ['@lmd/mx-golden'] } },
);
