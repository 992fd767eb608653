/** The longest time that a timer can be set for, in milliseconds: with more, it would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
