/**
 * How often a stream of events and a hold say that they are alive, in milliseconds: clients take a connection for dead after twice
 * that, the released ones too.
 */
export const HEARTBEAT_MS = 15_000;
