import { mount } from 'svelte';
import App from './App.svelte';
import { askEarly } from './lib/sso/first';
import './style/tokens.css';
import './style/base.css';

askEarly(location.hash);
const target = document.getElementById('app');
if (!target) throw new Error('the page has no place for the application');
mount(App, { target });
