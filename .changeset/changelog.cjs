// How `changeset version` writes changelogs: the text of a changeset as it is if it is a list, and else as one entry of
// a list; and one line for all dependencies of ours that changed.

/** @type {import('@changesets/types').ChangelogFunctions} */
module.exports = {
  async getReleaseLine({ summary }) {
    const text = summary.trim();
    return text.startsWith('- ') ? text : `- ${text.replaceAll(/\n(?=[^\n])/g, '\n  ')}`;
  },
  async getDependencyReleaseLine(_, dependencies) {
    if (dependencies.length === 0) return '';
    return `- Updated: ${dependencies.map(({ name, newVersion }) => `\`${name}\` ${newVersion}`).join(', ')}.`;
  },
};
