/**
 * A text in Markdown with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} contents
 */
export function withMarked(text, name, contents) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from)
    throw new Error(`There are no markers ${open} and ${close}. Add them where the contents belong.`);
  return `${text.slice(0, from + open.length)}\n${contents.trim()}\n${text.slice(to)}`;
}

/** Breaks a paragraph into lines of at most 120 columns, outside of code spans and links. */
export function wrapped(text) {
  return text.match(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|\S)+/g).reduce((lines, word) => {
    const line = `${lines} ${word}`;
    return lines === '' ? word : line.length - line.lastIndexOf('\n') - 1 <= 120 ? line : `${lines}\n${word}`;
  }, '');
}
