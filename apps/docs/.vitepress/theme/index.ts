import type { Theme } from 'vitepress';
import NotFound from 'vitepress/dist/client/theme-default/NotFound.vue';
import DefaultTheme from 'vitepress/theme';
import { h } from 'vue';
import LiveTraining from '../../src/live/live-training.vue';
import './style.css';

export default {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      // The start page shows training before it says anything else.
      'home-features-before': () => h(LiveTraining),
      // VitePress gives it no main landmark.
      'not-found': () => h('main', h(NotFound)),
    }),
} satisfies Theme;
