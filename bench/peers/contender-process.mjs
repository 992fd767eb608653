// A process that runs the clients of one contender, so that its code, its garbage and its connections are its own. Arguments: the id, and
// where the servers are. Each message asks for a round: so many clients, at once, for so many milliseconds.
import { CONTENDERS } from './contenders.mjs';

const [id, where] = process.argv.slice(2);
const contender = CONTENDERS.find((one) => one.id === id);

/** Microseconds of each cycle of one client. It does at least one. */
async function cyclesUntil(client, untilMs) {
  const took = [];
  do {
    const start = process.hrtime.bigint();
    await client.cycle();
    took.push(Number(process.hrtime.bigint() - start) / 1000);
  } while (performance.now() < untilMs);
  return took;
}

async function round(count, ms) {
  const clients = await Promise.all(Array.from({ length: count }, (_, index) => contender.open(JSON.parse(where), `${id}-${index}`)));
  // The first one connects. A process is new each time.
  await Promise.all(clients.map((client) => (client.isProcess ? undefined : client.cycle())));
  const startMs = performance.now();
  const took = await Promise.all(clients.map((client) => cyclesUntil(client, startMs + ms)));
  const seconds = (performance.now() - startMs) / 1000;
  for (const client of clients) await client.close?.();
  return { took: took.flat(), seconds };
}

process.on('message', ({ count, ms }) => {
  round(count, ms).then(
    (result) => process.send(result),
    (error) => {
      console.error(`${contender.label}, ${count} clients: ${error.stack}`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
