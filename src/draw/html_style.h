// draw/html_style.h: how an HtmlReport looks: the page here, its widgets in html_style_widgets.h.
//
//   page += "<style>" + html_style() + "</style>";
#pragma once

#include <string>

#include "draw/html_style_widgets.h"

namespace nunchi::draw {

constexpr const char* html_light = R"(color-scheme: light; --ink: #1c2127; --quiet: #56606b; --page: #f5f6f8;
  --card: #ffffff; --line: #dde1e6; --soft: #eceff3; --accent: #00629b; --on-accent: #ffffff; --bar: #d3e6f3;
  --good: #00694d; --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73; --series-3: #b8579a;
  --series-4: #c98500; --series-5: #3f9fd8; --shadow: 0 1px 2px rgb(20 30 45 / 5%), 0 6px 20px rgb(20 30 45 / 5%); )";

constexpr const char* html_dark = R"(color-scheme: dark; --ink: #e8eaed; --quiet: #a7b0ba; --page: #121519;
  --card: #1b1f25; --line: #323942; --soft: #262c34; --accent: #79c0f0; --on-accent: #0d1a24; --bar: #26445a;
  --good: #5fd0a5; --series-0: #4aa8e0; --series-1: #ff8c42; --series-2: #2fc79a; --series-3: #e29ac4;
  --series-4: #f0b93a; --series-5: #a3d9f7; --shadow: none; )";

constexpr const char* html_style_page = R"(
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 20px; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.55; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans KR", "Apple SD Gothic Neo",
    "NanumBarunGothic", sans-serif; }
:lang(ko) body, body:lang(ko) { word-break: keep-all; }
body > header, main, nav, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
body > header { position: relative; padding-top: 52px; padding-bottom: 6px; }
h1 { margin: 0; font-size: clamp(1.75rem, 1.3rem + 2vw, 2.6rem); line-height: 1.15; letter-spacing: -0.025em;
  padding-right: 92px; text-wrap: balance; }
header p { margin: 12px 0 0; font-size: 1.12rem; color: var(--quiet); max-width: 62ch; }
h2 { margin: 56px 0 8px; font-size: 1.45rem; line-height: 1.25; letter-spacing: -0.015em; text-wrap: balance; }
main > h2:first-child { margin-top: 32px; }
p { max-width: 72ch; margin: 0 0 16px; color: var(--quiet); }
img { display: block; max-width: 100%; height: auto; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.title { margin: 0 0 10px; font-size: 1.06rem; line-height: 1.35; letter-spacing: -0.005em; font-weight: 650; }
.skip { position: absolute; left: -999px; top: 8px; z-index: 9; padding: 8px 14px; border-radius: 8px;
  background: var(--accent); color: var(--on-accent); }
.skip:focus { left: 12px; }
html:not(.with-script) .scripted { display: none !important; }
.with-script .unscripted { display: none; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 18px 0 0; padding: 10px 0; list-style: none;
  border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
nav a { display: block; padding: 3px 0; text-decoration: none; font-size: 0.92rem; }
nav a:hover { text-decoration: underline; text-underline-offset: 3px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 148px), 1fr)); gap: 12px;
  margin: 28px 0 8px; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px;
  container-type: inline-size; box-shadow: var(--shadow); }
.figures b { display: block; line-height: 1.2; letter-spacing: -0.02em; font-variant-numeric: tabular-nums;
  font-size: 1.6rem; font-size: min(1.6rem, 142cqi / var(--longest)); font-weight: 650; white-space: nowrap; }
.figures span { font-size: 0.86rem; color: var(--quiet); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 236px), 1fr)); gap: 16px;
  margin: 16px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden;
  display: flex; flex-direction: column; box-shadow: var(--shadow); }
.card .pictures { display: flex; gap: 2px; background: var(--line); }
.card .pictures figure { flex: 1 1 0; min-width: 0; background: var(--card); }
.card .pictures img { width: 100%; aspect-ratio: 1; object-fit: cover; }
.card .pictures figcaption { padding: 4px 8px 0; font-size: 0.8rem; }
.card .words { padding: 12px 16px 14px; }
.card .title { margin-bottom: 8px; }
.card .small { margin: 10px 0 0; font-size: 0.8rem; }
.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); }
figure { margin: 0; }
figcaption { color: var(--quiet); }
.paper { background: #ffffff; border: 1px solid var(--line); border-radius: 14px; padding: 10px; margin: 16px 0;
  max-width: 800px; box-shadow: var(--shadow); }
.paper figcaption { color: #56606b; padding: 4px 10px 6px; font-size: 0.86rem; }
.pixels { image-rendering: pixelated; }
.bar { position: relative; display: flex; justify-content: space-between; gap: 10px; padding: 2px 8px; margin: 3px 0;
  border-radius: 6px; overflow: hidden; font-size: 0.9rem; z-index: 0; }
.bar i { position: absolute; left: 0; top: 0; bottom: 0; background: var(--bar); border-radius: 6px; z-index: -1; }
.bar span:last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 16px 0; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; box-shadow: var(--shadow); }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem; font-variant-numeric: tabular-nums; }
caption { padding: 12px 16px 0; text-align: left; color: var(--quiet); font-size: 0.88rem; }
th, td { padding: 10px 16px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
tbody th { font-weight: inherit; min-width: 8em; }
thead th { color: var(--quiet); font-weight: 600; font-size: 0.88rem; }
tbody tr:last-child > * { border-bottom: 0; }
td.best { font-weight: 700; color: var(--good); }
td.best small { font-weight: 600; font-size: 0.7rem; padding: 1px 6px; border: 1px solid; border-radius: 99px; }
.note { margin: 18px 0; padding: 12px 18px; border-left: 4px solid var(--accent); background: var(--card);
  border-radius: 0 12px 12px 0; color: var(--ink); box-shadow: var(--shadow); }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.code { margin: 16px 0; padding: 14px 18px; overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; font-size: 0.88rem; line-height: 1.5; }
dl { margin: 16px 0; display: grid; gap: 12px 32px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
dt { font-weight: 650; } dd { margin: 2px 0 0; color: var(--quiet); font-size: 0.95rem; }
details { margin: 14px 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
summary { padding: 12px 18px; font-weight: 600; cursor: pointer; border-radius: 12px; }
summary::marker { color: var(--accent); }
details > div { padding: 0 18px 6px; }
.commands { margin: 16px 0; padding: 0; list-style: none; display: grid; gap: 10px; }
.commands li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 16px; }
.commands code { display: block; color: var(--accent); white-space: pre-wrap; font-size: 0.92rem; }
.commands span { color: var(--quiet); font-size: 0.88rem; }
footer { margin-top: 64px; padding-top: 18px; padding-bottom: 48px; }
footer::before { content: ""; display: block; border-top: 1px solid var(--line); margin-bottom: 16px; }
footer p { font-size: 0.84rem; max-width: none; margin: 0 0 6px; }
@media (max-width: 560px) { body > header, main, nav, footer { padding-left: 16px; padding-right: 16px; }
  body > header { padding-top: 28px; } h2 { margin-top: 44px; } .figures { grid-template-columns: 1fr 1fr; }
  th, td { padding: 9px 12px; } }
@media (prefers-reduced-motion: reduce) { *, ::before, ::after { animation: none !important;
  transition: none !important; scroll-behavior: auto !important; } }
)";

constexpr const char* html_style_print = R"(
@media print { :root, :root[data-theme] { --ink: #000; --quiet: #444; --page: #fff; --card: #fff;
    --line: #ccc; --soft: #eee; --accent: #004b78; --bar: #dfe9f1; --good: #00573f; --shadow: none; }
  @page { margin: 16mm 14mm; }
  body { font-size: 10.5pt; } body > header { padding-top: 0; } h1 { padding-right: 0; } h2 { margin-top: 28px; }
  footer { margin-top: 24px; padding-bottom: 0; }
  body > header, main, nav, footer { max-width: none; padding-left: 0; padding-right: 0; }
  nav, .skip, .theme, dialog { display: none !important; }
  .card, .paper, .figures div, .commands li, tr, .note, .code, dl > div, .gallery li, .scroll { break-inside: avoid; }
  h2, .title, summary { break-after: avoid; } .scroll, .code { overflow: visible; } .code { white-space: pre-wrap; }
  .figures { grid-template-columns: repeat(auto-fit, minmax(110px, 1fr)); } .figures div { padding: 10px 12px; }
  details::details-content { content-visibility: visible; height: auto; }
  .bar i, .scale i { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
)";

inline std::string html_style() {
  return std::string(":root { ") + html_light + "}\n@media (prefers-color-scheme: dark) { :root { " + html_dark +
         "} }\n:root[data-theme=light] { " + html_light + "}\n:root[data-theme=dark] { " + html_dark + "}" +
         html_style_page + html_style_widgets + "@media print { :root, :root[data-theme] { " + html_light + "} }" +
         html_style_print;
}

}  // namespace nunchi::draw
