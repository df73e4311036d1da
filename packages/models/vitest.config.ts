import { testConfig } from '../../vitest.shared.ts';

// The files share one process: no test of theirs changes what is global.
export default testConfig({ isolate: false, setupFiles: ['../../vitest.properties.ts'] });
