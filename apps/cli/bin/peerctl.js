#!/usr/bin/env node
// CommonJS, as the bundle is: no ES module machinery is loaded before the first line of the command runs.
require('../dist/bundle/main.cjs');
