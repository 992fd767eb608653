// How parameters, answers and schemas of an OpenAPI document look in Markdown.
import { meaningOf } from './api-meanings.mjs';

/** A text in a cell of a table. */
export const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const isNull = (schema) => schema.type === 'null';
const code = (value) => `\`${value}\``;

function table(header, rows) {
  return [`| ${header.join(' | ')} |`, `|${' --- |'.repeat(header.length)}`, ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n');
}

/** The name of the schema that this is, if the document has one; it repeats them where they are nested. */
function nameOf(schema, schemas) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').pop();
  const text = JSON.stringify(schema);
  return Object.keys(schemas).find((name) => JSON.stringify(schemas[name]) === text);
}

const link = (name) => `[${name}](#${name.toLowerCase()})`;

/** The type in a few words; of a nested object only that it is one, as its fields have rows of their own. */
export function typeOf(schema, schemas) {
  const name = nameOf(schema, schemas);
  if (name !== undefined) return link(name);
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((each) => typeOf(each, schemas)).join(' or ');
  if (Array.isArray(schema.type)) return schema.type.join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items, schemas)}`;
  if (schema.format === 'date-time') return 'time';
  return schema.type ?? 'anything';
}

/** What a value has to keep to beyond its type. */
function limitsOf(schema) {
  // Of what has a pattern too, the meaning says what is allowed.
  return schema.maxLength === undefined || schema.pattern !== undefined ? [] : [`Up to ${schema.maxLength} characters.`];
}

export function parametersTable({ parameters }) {
  if (parameters.length === 0) return [];
  const rows = parameters.map(({ name, in: place, required, schema, description = schema.description ?? '' }) => [
    code(name),
    place === 'query' ? 'parameter' : place,
    typeOf(schema, {}) + (required ? '' : ', optional'),
    [description.replace(/([^.])$/, '$1.'), ...limitsOf(schema)].join(' '),
  ]);
  return [table(['name', 'in', 'type', 'meaning'], rows)];
}

const isProblem = ({ content = {} }) => 'application/problem+json' in content;

export function answersTable({ responses }, schemas) {
  const rows = Object.entries(responses).filter(([, response]) => !isProblem(response)).map(([status, { description, content = {}, headers = {} }]) => {
    const bodies = Object.entries(content).map(([type, { schema }]) => (schema.$ref === undefined ? code(type) : `${typeOf(schema, schemas)}, ${code(type)}`));
    const more = Object.entries(headers).map(([name, header]) => `Header ${code(name)}: ${header.description}`);
    return [status, bodies.join(' or ') || 'nothing', [description, ...more].join(' ')];
  });
  return table(['answer', 'body', 'meaning'], rows);
}

/** The codes of an operation's problems, by status. */
export function problems({ responses }) {
  const each = Object.entries(responses).filter(([, response]) => isProblem(response))
    .map(([status, { description }]) => `${status} ${[...description.matchAll(/`([a-z-]+)`:/g)].map(([, name]) => code(name)).join(' ')}`);
  return `[Problems](#codes): ${each.join(', ')}.`;
}

/** A row for each field of the schema of that name, and for each field of what is nested in it and has no name. */
function fieldRows(owner, schema, schemas, prefix = '') {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const optional = (schema.required ?? []).includes(name) ? '' : ', optional';
    const meaning = [meaningOf(`${owner}.${prefix}${name}`, field.description), ...limitsOf(field)].join(' ');
    const type = name === 'code' ? 'string' : typeOf(field, schemas);
    const row = [code(prefix + name), type + optional, meaning];
    const inner = field.type === 'array' ? field.items : (field.anyOf?.find((each) => !isNull(each)) ?? field);
    if (nameOf(inner, schemas) !== undefined) return [row];
    return [row, ...fieldRows(owner, inner, schemas, `${prefix}${name}${field.type === 'array' ? '[]' : ''}.`)];
  });
}

/** Which field tells the variants of a schema apart. */
export const variantNames = ['event'];

export function schemaSection(name, schemas, distinguishing) {
  const header = ['field', 'type', 'meaning'];
  const { oneOf, ...plain } = schemas[name];
  if (oneOf === undefined) return `### ${name}\n\n${table(header, fieldRows(name, plain, schemas))}`;
  const variants = oneOf.map((variant) => {
    const field = distinguishing.find((each) => variant.properties[each]?.const !== undefined);
    const { [field]: { const: value }, ...properties } = variant.properties;
    const rows = fieldRows(name, { ...variant, properties }, schemas);
    const title = `With ${code(field)} ${code(value)}`;
    return rows.length === 0 ? `${title}: nothing else.` : `${title}:\n\n${table(header, rows)}`;
  });
  return [`### ${name}`, 'One of these.', ...variants].join('\n\n');
}
