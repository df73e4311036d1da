import { backendConformance } from '@lmd/conformance';
import { describe, expect, it } from 'vitest';
import { createTemplateBackend } from './index.js';

backendConformance({ describe, it, expect }, { name: 'template', create: createTemplateBackend });
