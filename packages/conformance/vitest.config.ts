import { testConfig } from '../../vitest.shared.ts';
import { offerSoftwareWebgpu } from '../../vitest.webgpu.ts';

offerSoftwareWebgpu();
export default testConfig({ globalSetup: ['test/build.ts'] });
