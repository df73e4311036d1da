import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig({
  index: 'src/index.ts',
  'text/index': 'src/text/index.ts',
  'images/index': 'src/images/index.ts',
  'node/index': 'src/node/index.ts',
});
