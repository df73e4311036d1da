import { testInstallations } from './installation.js';

testInstallations('bun');
