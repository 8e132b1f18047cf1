/** Style of the page at `/`. Colours follow the reader's light or dark preference. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f7f7f5, #15171a);
  --card: light-dark(#ffffff, #1e2125);
  --ink: light-dark(#1c1f23, #e7e9ec);
  --soft: light-dark(#5c6470, #9aa3af);
  --line: light-dark(#e2e4e0, #30353b);
  --good: light-dark(#18794e, #4cc38a);
  --bad: light-dark(#b42318, #ff8f85);
  --spent: light-dark(#3b6fd4, #6f9cf5);
  --link: light-dark(#1d5fc4, #86b6ff);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; align-items: baseline; gap: 1rem; padding-top: 1.5rem; }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -0.02em; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.05rem; }
small, .links span, #gateway { color: var(--soft); font-weight: 400; }
#state { margin: 0; color: var(--soft); }
#state.good { color: var(--good); }
#state.bad, #problem, .bad { color: var(--bad); }
a { color: var(--link); }
code { font: 0.9em ui-monospace, monospace; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin: 1rem 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1rem; }
.tiles b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
.tiles span { color: var(--soft); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.45rem 0.8rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 500; font-size: 0.85rem; }
.n { text-align: right; }
.wrap { white-space: normal; min-width: 14rem; }
.heading { display: flex; align-items: baseline; justify-content: space-between; margin-top: 1.2rem; }
.heading h2 { margin: 0; }
.periods { display: flex; margin: 0; }
.periods button { padding: 0.15rem 0.7rem; border-radius: 0; color: var(--soft); font-size: 0.85rem; cursor: pointer; }
.periods button:first-child { border-radius: 8px 0 0 8px; }
.periods button:last-child { border-left: 0; border-radius: 0 8px 8px 0; }
.periods button[aria-pressed="true"] { color: var(--ink); background: var(--line); }
figure { margin: 0.5rem 0 0; padding: 0.6rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
figure p { margin: 0; min-height: 1.3em; color: var(--soft); font-size: 0.85rem; }
figure svg { display: block; width: 100%; height: 8rem; border-bottom: 1px solid var(--line); }
figcaption { display: flex; justify-content: space-between; color: var(--soft); font-size: 0.85rem; }
.spent { fill: var(--spent); }
.room { fill: transparent; }
g:hover .room { fill: var(--line); }
meter { width: 8rem; height: 0.8rem; vertical-align: middle; }
.empty { color: var(--soft); text-align: center; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin: 1rem 0; }
form[hidden], [hidden] { display: none; }
input, button { font: inherit; padding: 0.4rem 0.7rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; }
.links { list-style: none; padding: 0; margin: 0 0 3rem; columns: 2 22rem; }
.links li { break-inside: avoid; padding: 0.15rem 0; }
`;
