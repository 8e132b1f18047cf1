#!/usr/bin/env node
import { requireSupportedNode } from './cli/node-version.js';

await requireSupportedNode();
// Only now: what the commands import needs the newer Node.
const { runProgram } = await import('./cli/program.js');
process.exitCode = await runProgram(process.argv);
