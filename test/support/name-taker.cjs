// A second process that keeps taking the names of the lock, as the Supervisor does: exclusively, now and then by force.
// Run as the user it should be. Prints a line for each file of its own that somebody else has removed or replaced.
const fs = require('node:fs');

const [directory, untilMs] = [process.argv[2], Date.now() + Number(process.argv[3])];
const paths = ['updates.lock', 'resin-updates.lock'].map((name) => `${directory}/${name}`);
let taken = 0;

while (Date.now() < untilMs) {
  const path = paths[Math.floor(Math.random() * 2)];
  if (Math.random() < 0.5) {
    try {
      fs.unlinkSync(path);
    } catch {
      // Not there, or in a sticky directory not ours to remove.
    }
  }
  let fd;
  try {
    fd = fs.openSync(path, 'wx', 0o444);
  } catch {
    continue;
  }
  taken += 1;
  const { ino } = fs.fstatSync(fd);
  const restUntil = process.hrtime.bigint() + BigInt(Math.floor(Math.random() * 300_000));
  while (process.hrtime.bigint() < restUntil);
  const now = fs.lstatSync(path, { throwIfNoEntry: false });
  if (now?.ino !== ino) console.log(now === undefined ? 'removed' : 'replaced');
  fs.closeSync(fd);
  try {
    fs.unlinkSync(path);
  } catch (error) {
    console.log(error.code);
  }
}
console.error(taken);
