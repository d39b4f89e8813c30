#!/usr/bin/env -S node --max-semi-space-size=8
// Without the bound, garbage of many small files alone takes 128 MiB. The launcher of the release takes the flags from the line above.
import '../dist/main.js';
