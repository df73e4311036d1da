import { testInstallations } from './installation.js';

testInstallations('yarn');
