import { mount } from 'svelte';
import App from './app.svelte';
import './style.css';

mount(App, { target: document.getElementById('app')! });

// Without https or localhost there is none, and the page works as well.
if ('serviceWorker' in navigator && import.meta.env.PROD) void navigator.serviceWorker.register('./sw.js');
