// prepack of every package: refuses to pack one that is not built. pnpm runs it in the folder of the package.
import { existsSync, readFileSync } from 'node:fs';

const { name, exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'));
const filesOf = (target) => (typeof target === 'string' ? [target] : Object.values(target).flatMap(filesOf));
const missing = [exports ?? {}, bin ?? {}].flatMap(filesOf).filter((file) => !existsSync(file));
if (missing.length > 0) {
  console.error(`${name} is not built: ${missing.join(', ')} not found. Run npm run build in the repository first.`);
  process.exitCode = 1;
}
