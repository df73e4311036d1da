import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig({
  index: 'src/index.ts',
  'nats/index': 'src/nats/index.ts',
  'conformance/index': 'src/conformance/index.ts',
});
