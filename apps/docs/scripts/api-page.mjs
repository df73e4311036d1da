// What TypeDoc's pages lack for screen readers and keyboards, added to the HTML of a page. The browser test
// `accessibility` says what is missing after an update of TypeDoc.

/** @param {string} html of a page that TypeDoc wrote */
export function accessible(html) {
  return withHeadingLevels(
    html
      .replace('<div class="col-content">', '<div class="col-content" role="main">')
      .replace('<div class="page-menu">', '<div class="page-menu" role="navigation" aria-label="This page">')
      .replace('<nav id="tsd-sidebar-links"', '<nav aria-label="Site" id="tsd-sidebar-links"')
      .replace('<nav class="tsd-navigation">', '<nav aria-label="Modules" class="tsd-navigation">')
      // A summary is a button, and a link in a button cannot be reached. The contents of the page link to the heading.
      .replace(/<summary\b.*?<\/summary>/gs, (summary) =>
        summary.replace(/<a href="#[^"]*" aria-label="Permalink".*?<\/a>/gs, ''),
      ),
  );
}

/** TypeDoc chooses headings by their size: the level of each one is that of the heading above it, and one. */
function withHeadingLevels(html) {
  const above = [];
  return html.replace(/<h([1-6])(?=[\s>])/g, (opening, digit) => {
    const size = Number(digit);
    while (above.length > 0 && above.at(-1) >= size) above.pop();
    above.push(size);
    return above.length === size ? opening : `${opening} aria-level="${above.length}"`;
  });
}
