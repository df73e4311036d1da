import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { h } from 'vue';
import LiveTraining from '../../src/live/live-training.vue';
import './style.css';

export default {
  extends: DefaultTheme,
  // The start page shows training before it says anything else.
  Layout: () => h(DefaultTheme.Layout, null, { 'home-features-before': () => h(LiveTraining) }),
} satisfies Theme;
