// Loaded into a process before its own code: when that has looked at a path so many times, somebody else puts a link in its place.
// Stands for the unluckiest moment that another process can find.
// SWAP: a JSON array of [path, target of the link, number of looks].
const fs = require('node:fs');

const swaps = JSON.parse(process.env.SWAP).map(([path, target, looks]) => ({ path, target, looks }));
const { lstatSync, readlinkSync, renameSync, symlinkSync } = fs;

function looked(path) {
  for (const swap of swaps) {
    if (swap.path !== path || --swap.looks !== 0) continue;
    renameSync(path, `${path}.before`);
    symlinkSync(swap.target, path);
  }
}

fs.lstatSync = (path, ...rest) => {
  const stats = lstatSync(path, ...rest);
  if (stats !== undefined) looked(resolved(path));
  return stats;
};

/** The path that people know of one below /proc/self/fd. */
function resolved(path) {
  const [, fd, name] = /^\/proc\/self\/fd\/(\d+)(.*)$/.exec(path) ?? [];
  return fd === undefined ? path : readlinkSync(`/proc/self/fd/${fd}`) + name;
}
