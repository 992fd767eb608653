// Stands for packages that are left out of the bundle; see build.mjs.
module.exports = {};
