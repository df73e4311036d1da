import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';

/** Where distributions put Chromium, which brings SwiftShader, a Vulkan driver in software, and a Vulkan loader. */
const folders = ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/usr/lib/chromium-browser'];

/**
 * Lets Dawn in test processes find SwiftShader where the machine has no Vulkan driver of its own: sets the two
 * variables that a process reads when it starts, for the workers that vitest will start. Does nothing where they are
 * set, or no Chromium is found. Nor under LMD_SOFTWARE_WEBGPU=off, as in `npm test`: a graphics card in software takes
 * minutes, and the browser suite (scripts/browser-tests.mjs) runs the same tests.
 */
export function offerSoftwareWebgpu(): void {
  if (process.env.LMD_SOFTWARE_WEBGPU === 'off') return;
  if (process.env.VK_ICD_FILENAMES !== undefined || process.env.VK_DRIVER_FILES !== undefined) return;
  const folder = folders.find((one) => existsSync(`${one}/vk_swiftshader_icd.json`));
  if (folder === undefined) return;
  process.env.VK_ICD_FILENAMES = `${folder}/vk_swiftshader_icd.json`;
  process.env.LD_LIBRARY_PATH = [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(delimiter);
}
