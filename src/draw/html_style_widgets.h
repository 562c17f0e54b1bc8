// draw/html_style_widgets.h: how the parts of an HtmlReport look that the reader works with.
#pragma once

namespace nunchi::draw {

constexpr const char* html_style_widgets = R"(
button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 9px;
  padding: 6px 14px; cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--accent); color: var(--accent); }
button:disabled { color: var(--quiet); opacity: 0.6; cursor: default; }
.theme { position: absolute; top: 54px; right: 24px; font-size: 0.86rem; border-radius: 99px;
  padding: 5px 14px 5px 12px; }
.theme::before { content: ""; display: inline-block; width: 0.82em; height: 0.82em; margin-right: 0.5em;
  border-radius: 50%; border: 1.5px solid; background: linear-gradient(90deg, currentcolor 50%, transparent 50%);
  vertical-align: -0.08em; }
.theme[aria-pressed=true] { background: var(--soft); }
input[type=range] { width: 100%; margin: 6px 0 0; accent-color: var(--accent); height: 22px; }
input[type=checkbox] { accent-color: var(--accent); width: 17px; height: 17px; margin: 0; vertical-align: -3px; }

.sortable thead button { all: unset; cursor: pointer; border-radius: 4px; }
.sortable thead button:hover { color: var(--accent); }
.sortable thead button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.sortable thead button::after { content: "\2195"; margin-left: 0.4em; opacity: 0.5; }
.sortable [aria-sort] { color: var(--ink); }
.sortable [aria-sort=ascending] button::after { content: "\2191"; opacity: 1; }
.sortable [aria-sort=descending] button::after { content: "\2193"; opacity: 1; }

.gallery { display: grid; gap: 16px; margin: 16px 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(46%, var(--width)), 1fr)); }
.gallery img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 10px; background: var(--soft); }
.gallery.whole img { aspect-ratio: auto; }
.gallery .highlighted img { outline: 3px solid var(--accent); outline-offset: 2px; }
.gallery figcaption { padding: 7px 2px 0; font-size: 0.88rem; line-height: 1.35; }
.gallery .name { display: flex; justify-content: space-between; gap: 10px; color: var(--ink); }
.gallery .name b { font-weight: 600; }
.gallery .name i { font-style: normal; font-variant-numeric: tabular-nums; color: var(--quiet); }
.gallery small { display: block; font-size: 0.8rem; }
.enlarge { display: block; width: 100%; padding: 0; border: 0; border-radius: 10px; background: none;
  cursor: zoom-in; transition: transform 0.15s; }
.enlarge:hover { transform: translateY(-2px); }
.lightbox { border: 0; padding: 0; width: 100%; height: 100vh; height: 100dvh; max-width: none; max-height: none;
  background: none; color: #ffffff; }
.lightbox[open] { display: grid; grid-template-rows: minmax(0, 1fr) auto; justify-items: center; align-items: center; }
.lightbox::backdrop { background: rgb(10 13 17 / 92%); }
.lightbox img { width: min(100% - 32px, 100vh - 130px, 900px); height: calc(100% - 76px); margin-top: 60px;
  object-fit: contain; }
.lightbox .said { margin: 0; padding: 0 64px 20px; color: #e8eaed; text-align: center; font-size: 0.95rem; }
.lightbox button { position: absolute; width: 46px; height: 46px; padding: 0; font-size: 1.7rem; line-height: 1;
  border-radius: 50%; border: 1px solid rgb(255 255 255 / 35%); background: rgb(10 13 17 / 60%); color: #ffffff; }
.lightbox button:hover { background: #ffffff; color: #10151b; }
.lightbox button:focus-visible { outline-color: #79c0f0; }
.lightbox .close { top: 14px; right: 16px; } .lightbox .previous { left: 16px; top: calc(50% - 23px); }
.lightbox .next { right: 16px; top: calc(50% - 23px); }

.widget { margin: 20px 0; padding: 18px 20px 20px; background: var(--card); border: 1px solid var(--line);
  border-radius: 16px; box-shadow: var(--shadow); container-type: inline-size; }
.widget > .title { margin-bottom: 14px; }
.explorer .stage { max-width: max(240px, calc(80vh * var(--ratio))); }
.explorer .stage img, .explorer .stage canvas { display: block; width: 100%; height: auto; border-radius: 10px; }
.explorer .stage canvas { cursor: crosshair; touch-action: pan-y; }
.explorer .state { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; margin: 8px 0 0;
  max-width: none; min-height: 1.6em; font-size: 0.9rem; }
.state output { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
html:not(.with-script) .panel { display: none; }
html:not(.with-script) .sides { display: block; }
.panel { display: grid; gap: 16px; align-content: start; margin-top: 18px; font-size: 0.92rem; }
.panel fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
.panel legend { padding: 0; margin-bottom: 6px; }
.panel label > span { display: flex; justify-content: space-between; gap: 12px; }
.panel label > span b { font-weight: 650; font-variant-numeric: tabular-nums; }
.segments { display: flex; flex-wrap: wrap; padding: 3px; gap: 3px; border-radius: 11px; background: var(--soft); }
.segments label { flex: 1 1 auto; position: relative; }
.segments input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; }
.segments label > span { display: block; padding: 5px 12px; border-radius: 8px; text-align: center;
  white-space: nowrap; }
.segments input:checked + span { background: var(--card); color: var(--ink); font-weight: 600;
  box-shadow: 0 1px 3px rgb(0 0 0 / 18%); }
.segments input:focus-visible + span { outline: 3px solid var(--accent); }
.scale { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 12px; }
.scale i { flex: 1 0 100%; height: 12px; border-radius: 6px; }
.scale small { color: var(--quiet); } .scale b { font-weight: 600; font-variant-numeric: tabular-nums; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(54px, 1fr)); gap: 6px; }
.strip:empty { display: none; }
.strip button { padding: 3px 3px 1px; font-size: 0.74rem; line-height: 1.4; color: var(--quiet);
  border-color: transparent; background: none; border-radius: 8px; min-width: 0; }
.strip canvas { display: block; width: 100%; height: auto; border-radius: 5px; cursor: pointer; }
.squares .strip canvas { image-rendering: pixelated; }
.strip [aria-pressed=true] { border-color: var(--accent); color: var(--ink); background: var(--soft);
  font-weight: 650; }
.panel .keys { margin: 0; font-size: 0.82rem; }
.panel .everywhere { justify-self: start; font-size: 0.88rem; }

.scatter .stage { position: relative; }
.scatter .stage > svg { display: block; width: 100%; height: auto; }
.with-script .scatter .stage > svg { display: none; }
.scatter canvas { display: block; width: 100%; height: clamp(340px, 58cqi, 600px); border-radius: 10px;
  background: var(--page); touch-action: pan-y; cursor: grab; }
.scatter canvas:active { cursor: grabbing; }
.series-0 { fill: var(--series-0); } .series-1 { fill: var(--series-1); } .series-2 { fill: var(--series-2); }
.series-3 { fill: var(--series-3); } .series-4 { fill: var(--series-4); } .series-5 { fill: var(--series-5); }
.zoom { position: absolute; top: 10px; right: 10px; display: grid; gap: 6px; }
.zoom button { width: 36px; height: 36px; padding: 0; font-size: 1.15rem; line-height: 1; }
.tip { position: absolute; z-index: 2; display: grid; gap: 2px; padding: 8px; width: max-content; max-width: 200px;
  pointer-events: none;  background: var(--card); border: 1px solid var(--line); border-radius: 10px; font-size: 0.84rem;
  box-shadow: 0 6px 24px rgb(0 0 0 / 22%); }
.tip[hidden] { display: none; }
.tip img { width: 112px; height: 112px; object-fit: cover; border-radius: 6px; margin-bottom: 4px; }
.tip b { font-weight: 600; } .tip span { color: var(--quiet); }
.legend { display: flex; flex-wrap: wrap; gap: 6px; margin: 12px 0 0; padding: 0; list-style: none;
  font-size: 0.86rem; max-height: 11.5em; overflow-y: auto; }
.legend svg { width: 14px; height: 14px; margin-right: 6px; vertical-align: -2px; }
.legend small { color: var(--quiet); margin-left: 4px; }
.legend li, .legend button { border-radius: 99px; } html:not(.with-script) .legend li { padding: 2px 10px 2px 0; }
.legend button { padding: 3px 12px 3px 9px; font-size: inherit; }
.legend button[aria-pressed=false] { opacity: 0.55; text-decoration: line-through; background: none; }
.panel input[type=search] { width: 100%; margin-top: 6px; padding: 8px 12px; font: inherit; color: var(--ink);
  background: var(--page); border: 1px solid var(--line); border-radius: 9px; }
.panel ol { margin: 0; padding: 0; list-style: none; display: grid; gap: 2px; }
.panel .found { max-height: 240px; overflow-y: auto; } .panel .found:empty { display: none; }
.panel li button { display: flex; align-items: center; gap: 10px; width: 100%; padding: 4px 8px 4px 4px; border: 0;
  background: none; text-align: left; font-size: 0.86rem; }
.panel li button:hover { background: var(--soft); }
.panel li img { flex: none; width: 36px; height: 36px; object-fit: cover; border-radius: 6px; }
.panel li span { flex: 1; min-width: 0; } .panel li i { font-style: normal; color: var(--quiet); }
.picked:empty { display: none; }
.picked figure { display: flex; align-items: center; gap: 12px; }
.picked figure img { width: 84px; height: 84px; object-fit: cover; border-radius: 10px; }
.picked figcaption { font-size: 0.88rem; min-width: 0; } .picked figcaption b { display: block; color: var(--ink); }
.picked p { margin: 12px 0 4px; font-size: 0.84rem; }

@container (min-width: 700px) { .sides { display: grid; gap: 28px;
    grid-template-columns: minmax(0, 1fr) minmax(230px, 290px); } .panel { margin-top: 0; } }
@media print { .explorer .panel > :not(.scale):not(.strip), .scatter .panel > :not(.picked), .zoom, .tip,
    .scatter canvas { display: none; }
  .widget, .with-script .widget { break-inside: avoid; container-type: normal; } .scatter .sides { display: block; }
  .explorer .sides { display: grid; gap: 24px; grid-template-columns: 300px minmax(0, 1fr); }
  .explorer .panel { margin: 0; }
  .with-script .scatter .stage > svg { display: block; } .legend { max-height: none; }
  .legend button { border: 0; padding: 0 10px 0 0; } .sortable thead button::after { content: none; }
  .with-script .sortable .best small { border: 0; } .gallery { grid-template-columns: repeat(5, 1fr); } }
)";

}  // namespace nunchi::draw
