import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig(
  {
    index: 'src/index.ts',
    'text/index': 'src/text/index.ts',
    'images/index': 'src/images/index.ts',
    'node/index': 'src/node/index.ts',
  },
  // Of 27 MB, its encoder and one vocabulary are used. They are chunks of their own, loaded by the first call of
  // gpt2Tokenizer. The patterns match before tsup makes every package external that is not a dependency.
  { noExternal: [/^gpt-tokenizer\//] },
);
