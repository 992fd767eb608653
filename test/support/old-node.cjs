// Loaded into a process before its own code: takes away what Node.js 22.1 does not have.
delete require('node:zlib').crc32;
