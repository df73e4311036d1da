/** Doc comments that programs write into sources: those of generated interfaces, and of tables of options. */

/** The column at which lines of the sources end. */
export const width = 120;

/**
 * The lines of a doc comment.
 *
 * @param {readonly string[]} paragraphs
 * @param {string} indent
 */
export function commentLines(paragraphs, indent) {
  if (paragraphs.length === 1 && indent.length + paragraphs[0].length + '/**  */'.length <= width) {
    return [`${indent}/** ${paragraphs[0]} */`];
  }
  const lines = paragraphs.flatMap((paragraph, i) => {
    const gap = i > 0 && (!paragraph.startsWith('@') || !paragraphs[i - 1].startsWith('@')) ? [''] : [];
    return [...gap, ...wrapped(paragraph, width - indent.length - 3)];
  });
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

/** Lines of at most `most` columns. */
export function wrapped(text, most) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= most) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}
