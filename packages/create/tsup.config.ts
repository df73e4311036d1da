import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig(
  { 'node/index': 'src/node/index.ts', 'node/bin': 'src/node/bin.ts' },
  // A shared chunk would lie in another folder, and the templates are found by the path of the file.
  { splitting: false },
);
