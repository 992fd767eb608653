/** What Node.js provides in every script, for the linter. */
export default Object.fromEntries(
  ['Buffer', 'URL', 'clearInterval', 'clearTimeout', 'console', 'fetch', 'module', 'performance', 'process', 'setInterval', 'setTimeout'].map(
    (name) => [name, 'readonly'],
  ),
);
