/** The program of npm and its first arguments: that which started this process, if any, which needs no shell. */
export function npmProgram() {
  const path = process.env.npm_execpath ?? '';
  return /npm-cli\.js$/.test(path) ? [process.execPath, path] : ['npm'];
}
