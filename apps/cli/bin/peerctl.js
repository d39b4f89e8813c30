#!/usr/bin/env node
// The bundle is CommonJS because that starts faster; `import` of it would load Node's whole ES module machinery for http.
process.getBuiltinModule('node:module').createRequire(import.meta.url)('../dist/bundle/main.cjs');
