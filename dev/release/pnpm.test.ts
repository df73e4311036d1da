import { testInstallations } from './installation.js';

testInstallations('pnpm');
