import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig({
  index: 'src/index.ts',
  'backend/index': 'src/backend/index.ts',
  'node/index': 'src/node/index.ts',
  'posterior/index': 'src/posterior/index.ts',
});
