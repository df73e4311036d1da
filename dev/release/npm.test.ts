import { testInstallations } from './installation.js';

testInstallations('npm');
