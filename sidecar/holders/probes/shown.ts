const MAX_LENGTH = 120;

/**
 * A value for people, on one line and without what may be secret: what stands before the last `@`, which ends user and
 * password in a URL however wrong the rest is, and a query. A URL may stand in a wrong field, too.
 */
export function shown(value: unknown, isUrl = false): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  const end = text.lastIndexOf('@');
  const mayHavePassword = end >= 0 && (isUrl || text.slice(0, end).includes(':'));
  const rest = mayHavePassword ? `"***${text.slice(end)}` : text;
  const mayHaveQuery = isUrl || mayHavePassword || /^"https?:/i.test(rest);
  const query = mayHaveQuery ? rest.indexOf('?') : -1;
  return shortened(query < 0 ? rest : `${rest.slice(0, query)}?***"`);
}

function shortened(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}..."`;
}
