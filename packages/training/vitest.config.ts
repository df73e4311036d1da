import { testConfig } from '../../vitest.shared.ts';
import { offerSoftwareWebgpu } from '../../vitest.webgpu.ts';

offerSoftwareWebgpu();
// The files share one process: no test of theirs changes what is global.
export default testConfig({ isolate: false });
