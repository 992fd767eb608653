/** Visible characters and nothing that a terminal or a log would take for something else. */
export const ID_PATTERN = /^[^\p{C}\p{Z}]{1,128}$/u;
