#!/usr/bin/env node
import { runExample } from '@lmd/example-shared';
import { daleLangevin } from './experiment/command.js';

process.exitCode = await runExample(daleLangevin);
