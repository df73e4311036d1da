import { libraryConfig } from '../../tsup.shared.ts';

// The report kit is private: its code becomes part of the command.
export default libraryConfig(
  {
    index: 'src/index.ts',
    bin: 'src/bin.ts',
    // Under a fixed name, for tests that run several commands in one process.
    main: 'src/main.ts',
    'experiment/index': 'src/experiment/index.ts',
    'cluster/rank-thread': 'src/cluster/rank-thread.ts',
    'cluster/transport-thread': 'src/cluster/transport-thread.ts',
  },
  { platform: 'node', noExternal: ['@lmd/report'] },
);
