/**
 * How tests start the Chromium that LMD_CHROMIUM names, which `scripts/browser-tests.mjs` finds. WebGPU is
 * SwiftShader's, in software, unless LMD_WEBGPU_ADAPTER is `hardware`.
 */
export function chromiumLaunch() {
  const executablePath = process.env.LMD_CHROMIUM;
  if (executablePath === undefined) {
    throw new Error('LMD_CHROMIUM must name a Chromium; scripts/browser-tests.mjs sets it.');
  }
  const software = ['--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'];
  return {
    executablePath,
    chromiumSandbox: false,
    args: [
      '--enable-unsafe-webgpu',
      ...(process.env.LMD_WEBGPU_ADAPTER === 'hardware' ? [] : software),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
}
