// draw/html_script_basics.h: the part of an HtmlReport's script for the whole page, its tables and its galleries.
#pragma once

namespace nunchi::draw {

constexpr const char* html_script_basics = R"js(
const page = document.documentElement;
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function inWords(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

// --- light and dark: as the system is, until the reader chooses; remembered for this page only

const themeKey = 'nunchi-theme:' + location.pathname;
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

function remembered() {
  try { return sessionStorage.getItem(themeKey); } catch { return null; }
}

function remember(theme) {
  try { sessionStorage.setItem(themeKey, theme); } catch { /* then it lasts until the page is left */ }
}

const isDark = () => (page.dataset.theme ? page.dataset.theme === 'dark' : systemIsDark.matches);

function startTheme(button) {
  const show = () => {
    button.setAttribute('aria-pressed', isDark());
    document.dispatchEvent(new Event('theme'));
  };
  button.addEventListener('click', () => {
    page.dataset.theme = isDark() ? 'light' : 'dark';
    remember(page.dataset.theme);
    show();
  });
  systemIsDark.addEventListener('change', show);
  show();
}

// --- tables: a click on a column's head sorts by it, a second one the other way round

function startTable(table) {
  const body = table.tBodies[0], heads = all('thead th', table);
  const text = (row, column) => row.cells[column]?.textContent.trim() ?? '';
  const number = (row, column) => Number.parseFloat(row.cells[column]?.dataset.value ?? 'NaN');
  function compare(a, b, column, direction) {
    const x = number(a, column), y = number(b, column);
    if (Number.isNaN(x) || Number.isNaN(y)) {  // what has no number stands last
      if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
      return direction * text(a, column).localeCompare(text(b, column), page.lang, { numeric: true });
    }
    return direction * (x - y);
  }
  heads.forEach((head, column) => {
    const name = head.textContent;
    const button = make('button', { type: 'button', title: filled(table.dataset.sort, { name }) }, name);
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const before = head.ariaSort ?? ('descending' in head.dataset ? 'ascending' : 'descending');
      for (const each of heads) each.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', before === 'ascending' ? 'descending' : 'ascending');
      const direction = before === 'ascending' ? -1 : 1;
      body.append(...[...body.rows].sort((a, b) => compare(a, b, column, direction)));
    });
  });
}

// --- galleries: a click opens the picture over the page

class Lightbox {
  constructor(dialog) {
    this.dialog = dialog;
    this.image = dialog.querySelector('img');
    this.said = dialog.querySelector('.said');
    dialog.querySelector('.previous').addEventListener('click', () => this.turn(-1));
    dialog.querySelector('.next').addEventListener('click', () => this.turn(1));
    dialog.querySelector('.close').addEventListener('click', () => dialog.close());
    dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener('keydown', event => this.key(event));
    dialog.addEventListener('close', () => this.items[this.index].querySelector('button').focus());
  }

  open(items, index) {
    this.items = items;
    this.show(index);
    for (const name of ['previous', 'next']) this.dialog.querySelector('.' + name).hidden = items.length < 2;
    this.dialog.showModal();
  }

  show(index) {
    this.index = index;
    const item = this.items[index], small = item.querySelector('img');
    this.image.src = item.dataset.large ?? small.src;
    this.image.alt = small.alt;
    this.image.classList.toggle('pixels', small.classList.contains('pixels'));
    const parts = all('figcaption b, figcaption i, figcaption small', item).map(part => part.textContent);
    parts.push(filled(this.dialog.dataset.count, { number: index + 1, count: this.items.length }));
    this.said.textContent = parts.join(' · ');
  }

  turn(step) { this.show((this.index + step + this.items.length) % this.items.length); }

  key(event) {
    if (event.key === 'ArrowLeft') this.turn(-1);
    else if (event.key === 'ArrowRight') this.turn(1);
    else if (event.key === 'Tab') this.keepFocus(event);
  }

  keepFocus(event) {
    const buttons = all('button:not([hidden])', this.dialog), last = buttons.length - 1;
    const at = buttons.indexOf(document.activeElement);
    if (event.shiftKey ? at <= 0 : at === last) {
      event.preventDefault();
      buttons[event.shiftKey ? last : 0].focus();
    }
  }
}

function startGalleries(dialog) {
  const lightbox = new Lightbox(dialog);
  for (const gallery of all('.gallery')) {
    const items = all('li', gallery);
    items.forEach((item, index) => {
      const image = item.querySelector('img');
      const button = make('button', { type: 'button', className: 'enlarge' });
      button.setAttribute('aria-label', filled(gallery.dataset.enlarge, { name: image.alt }));
      button.addEventListener('click', () => lightbox.open(items, index));
      image.replaceWith(button);
      button.append(image);
    });
  }
}
)js";

constexpr const char* html_script_start = R"js(
// --- start

if (remembered()) page.dataset.theme = remembered();
page.classList.add('with-script');
document.addEventListener('DOMContentLoaded', () => {
  startTheme(document.querySelector('.theme'));
  all('table.sortable').forEach(startTable);
  all('dialog.lightbox').forEach(startGalleries);
  all('.explorer').forEach(section => new Explorer(section));
  all('.scatter').forEach(section => new Scatter(section));
});
// Paper cannot be unfolded.
addEventListener('beforeprint', () => {
  for (const each of all('details:not([open])')) each.open = each.dataset.folded = true;
});
addEventListener('afterprint', () => {
  for (const each of all('details[data-folded]')) { each.open = false; delete each.dataset.folded; }
});
)js";

}  // namespace nunchi::draw
