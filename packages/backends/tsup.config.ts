import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig({
  'reference/index': 'src/reference/index.ts',
  'tfjs/index': 'src/tfjs/index.ts',
});
