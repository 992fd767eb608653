// For `import`: the same modules as for `require`, so that there is one copy of the classes however they are loaded.
export * from './index.js';
