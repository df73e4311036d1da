import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig(
  {
    index: 'src/index.ts',
    'node/index': 'src/node/index.ts',
  },
  // `node:` tells bundlers and other runtimes what is a built-in; tsup would take it off.
  { removeNodeProtocol: false, external: [/^node:/] },
);
