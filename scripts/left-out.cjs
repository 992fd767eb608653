// Stands for the packages that build.mjs leaves out.
module.exports = {};
