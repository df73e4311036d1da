import { libraryConfig } from '../../../tsup.shared.ts';

export default libraryConfig({ index: 'src/index.ts', run: 'src/run.ts' }, { platform: 'node' });
