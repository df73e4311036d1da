import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig({
  'cpu/index': 'src/cpu/index.ts',
  'reference/index': 'src/reference/index.ts',
  'tfjs/index': 'src/tfjs/index.ts',
  'tfjs-node/index': 'src/tfjs-node/index.ts',
  'webgpu/index': 'src/webgpu/index.ts',
});
