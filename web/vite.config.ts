import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * The RDP client ships its program inside a `data:` address and puts its styles in `<style>` elements. Both would need
 * holes in the content security policy, so the program becomes a file of its own and the styles become constructed
 * style sheets. Fails the build when the package no longer looks as expected.
 */
function rdpClientWithoutPolicyHoles(): Plugin {
  return {
    name: 'naru-rdp-client',
    transform(code, id) {
      if (id.includes('iron-remote-desktop-rdp.js')) {
        const found = /"data:application\/wasm;base64,([A-Za-z0-9+/=]+)"/.exec(code);
        if (!found?.[1]) throw new Error('iron-remote-desktop-rdp: the embedded program was not found');
        const reference = this.emitFile({
          type: 'asset',
          name: 'iron-remote-desktop-rdp.wasm',
          source: Buffer.from(found[1], 'base64'),
        });
        return { code: code.replace(found[0], `import.meta.ROLLUP_FILE_URL_${reference}`), map: null };
      }
      if (id.includes('iron-remote-desktop.js')) {
        const style = /const (\w+) = document\.createElement\("style"\);\s*\1\.id = (\w+)\.hash, \1\.textContent = \2\.code, (\w+)\.appendChild\(\1\);/;
        if (!style.test(code)) throw new Error('iron-remote-desktop: the style element was not found');
        const attribute = /\w+\((\w+), "style", (\w+\(\w+\))\)/g;
        if ((code.match(attribute) ?? []).length !== 2) throw new Error('iron-remote-desktop: the style attributes were not found');
        return {
          code: code.replace(attribute, '$1.style.cssText = $2 ?? ""').replace(
            style,
            (_all, _element: string, css: string, root: string) =>
              `const naruSheet = new CSSStyleSheet(); naruSheet.replaceSync(${css}.code); const naruRoot = ${root}.adoptedStyleSheets ? ${root} : document; naruRoot.adoptedStyleSheets = [...naruRoot.adoptedStyleSheets, naruSheet];`,
          ),
          map: null,
        };
      }
      return null;
    },
  };
}

export default defineConfig({
  plugins: [svelte(), rdpClientWithoutPolicyHoles()],
  base: './',
  build: {
    target: 'es2022',
    outDir: 'dist',
    // Small files stay files: an inlined `data:` font or picture would need a hole in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
  },
});
