import { libraryConfig } from '../../tsup.shared.ts';

export default libraryConfig(
  {
    index: 'src/index.ts',
  },
  // What `npm run bench -- mx-formats` holds the package to, 25,000 bytes gzipped, it reaches without its white space;
  // names stay.
  { minifyWhitespace: true },
);
