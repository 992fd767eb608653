/** The version of the HTTP interface that this package speaks. */
export const apiVersion = 'v1';
