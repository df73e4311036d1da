import { libraryConfig } from '../../tsup.shared.ts';

// The golden results are private: they become part of the suite. The reference backend, beside which the command
// measures speed, becomes part of the command, so that the suite does not bring all backends.
export default libraryConfig(
  { index: 'src/index.ts', bin: 'src/node/bin.ts' },
  { noExternal: ['@lmd/mx-golden', /^@lmd\/backends/] },
);
