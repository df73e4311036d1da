import { pages } from './blocks.js';
import { testPages } from './test-pages.js';

testPages(pages().filter((page) => page.startsWith('docs/')));
