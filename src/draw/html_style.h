// draw/html_style.h: how an HtmlReport looks.
#pragma once

namespace nunchi::draw {

constexpr const char* html_style = R"(
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #59636e; --page: #f6f7f9; --card: #ffffff; --line: #dde1e6;
  --accent: #0072b2; --bar: #d3e6f3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --quiet: #a3abb5; --page: #14171b; --card: #1e2228;
  --line: #343a42; --accent: #6cb6e8; --bar: #274257; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans KR", "Apple SD Gothic Neo", sans-serif; }
main, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding: 44px 0 8px; }
h1 { margin: 0; font-size: 2.1rem; line-height: 1.2; letter-spacing: -0.02em; }
header p { margin: 10px 0 0; font-size: 1.1rem; color: var(--quiet); max-width: 62ch; }
h2 { margin: 44px 0 6px; font-size: 1.35rem; letter-spacing: -0.01em; }
p { max-width: 72ch; margin: 0 0 16px; color: var(--quiet); }
img { display: block; max-width: 100%; height: auto; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 24px 0 8px; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; }
.figures b { display: block; font-size: 1.5rem; line-height: 1.25; letter-spacing: -0.01em; }
.figures span { font-size: 0.86rem; color: var(--quiet); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 236px), 1fr)); gap: 16px; margin: 16px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden;
  display: flex; flex-direction: column; }
.card .pictures { display: flex; gap: 2px; background: var(--line); }
.card .pictures figure { flex: 1 1 0; min-width: 0; background: var(--card); }
.card .pictures img { width: 100%; aspect-ratio: 1; object-fit: cover; }
.card .pictures figcaption { padding: 4px 8px 0; font-size: 0.78rem; }
.card .words { padding: 12px 16px 14px; }
.card h3 { margin: 0 0 8px; font-size: 1.02rem; }
.card .note { margin: 10px 0 0; font-size: 0.78rem; }
.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); }
figure { margin: 0; }
figcaption { color: var(--quiet); }
.paper { background: #ffffff; border: 1px solid var(--line); border-radius: 14px; padding: 6px; margin: 16px 0;
  max-width: 780px; }
.paper figcaption { color: #59636e; padding: 0 12px 8px; font-size: 0.86rem; }
.pixels { image-rendering: pixelated; }
.bar { position: relative; display: flex; justify-content: space-between; gap: 10px; padding: 2px 8px; margin: 3px 0;
  border-radius: 6px; overflow: hidden; font-size: 0.9rem; z-index: 0; }
.bar i { position: absolute; left: 0; top: 0; bottom: 0; background: var(--bar); border-radius: 6px; z-index: -1; }
.bar span:last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 16px 0; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem; font-variant-numeric: tabular-nums; }
th, td { padding: 9px 16px; text-align: right; border-bottom: 1px solid var(--line); }
th, td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
th { color: var(--quiet); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
.commands { margin: 16px 0; padding: 0; list-style: none; display: grid; gap: 10px; }
.commands li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 16px; }
.commands code { display: block; color: var(--accent); white-space: pre-wrap; font-size: 0.92rem;
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.commands span { color: var(--quiet); font-size: 0.88rem; }
footer { margin-top: 48px; padding-top: 16px; padding-bottom: 40px; border-top: 1px solid var(--line); }
footer p { font-size: 0.82rem; max-width: none; margin: 0 0 6px; }
@media print { :root { color-scheme: light; --ink: #000; --quiet: #444; --page: #fff; --card: #fff; --line: #ccc;
  --accent: #004b78; --bar: #dfe9f1; }
  .card, .paper, .figures div, .commands li, tr { break-inside: avoid; } h2 { break-after: avoid; }
  .bar i { -webkit-print-color-adjust: exact; print-color-adjust: exact; } header { padding-top: 0; } }
)";

}  // namespace nunchi::draw
